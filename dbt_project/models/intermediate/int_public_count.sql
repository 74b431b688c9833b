-- What the public summary counts, exactly: for every county and what is above it, each category of each measure, zeros
-- too. Nothing here is fit to be handed out; doudi.small_cells makes marts.public_summary of it.
with

warning as (
    select *
    from {{ ref('warning') }}
    where closed_on is null
),

indicator as (
    select *
    from {{ ref('indicator') }}
),

person as (
    select *
    from {{ ref('marts_person') }}
),

division as (
    {{ divisions() }}
),

measure as (
    select *
    from (
        values
        ('open_warnings', '未办结预警（件）'),
        ('people_with_benefit', '享受救助人数（人）')
    ) as measures (measure, measure_name)
),

category as (
    select
        'open_warnings' as measure,
        code as category,
        name_zh as category_name
    from indicator
    union all
    select *
    from (
        values
        ('open_warnings', 'all', '合计'),
        ('people_with_benefit', 'minimum_allowance', '最低生活保障'),
        ('people_with_benefit', 'special_hardship', '特困人员救助供养'),
        ('people_with_benefit', 'temporary_assistance', '临时救助'),
        ('people_with_benefit', 'living_subsidy', '困难残疾人生活补贴'),
        ('people_with_benefit', 'care_subsidy', '重度残疾人护理补贴'),
        ('people_with_benefit', 'child_protection', '孤儿和事实无人抚养儿童')
    ) as categories (measure, category, category_name)
),

-- In one scan of all people.
given as (
    select
        county_code,
        count(*) filter (where has_minimum_allowance) as minimum_allowance,
        count(*) filter (where has_special_hardship) as special_hardship,
        count(*) filter (where temporary_grants > 0) as temporary_assistance,
        count(*) filter (where has_living_subsidy) as living_subsidy,
        count(*) filter (where has_care_subsidy) as care_subsidy,
        count(*) filter (where has_child_protection) as child_protection
    from person
    group by county_code
),

warned as (
    select
        indicator_code,
        county_code,
        count(*) as warnings
    from warning
    group by
        indicator_code,
        county_code
),

counted as (
    select
        'open_warnings' as measure,
        indicator_code as category,
        county_code as division_code,
        warnings as value
    from warned
    union all
    select
        'open_warnings' as measure,
        'all' as category,
        county_code as division_code,
        sum(warnings) as value
    from warned
    group by county_code
    union all
    select
        'people_with_benefit' as measure,
        benefit.category,
        given.county_code as division_code,
        benefit.value
    from given
    cross join
        lateral (
            values
            ('minimum_allowance', given.minimum_allowance),
            ('special_hardship', given.special_hardship),
            ('temporary_assistance', given.temporary_assistance),
            ('living_subsidy', given.living_subsidy),
            ('care_subsidy', given.care_subsidy),
            ('child_protection', given.child_protection)
        ) as benefit (category, value)
),

-- Also the counties of which there is nothing to tell.
county as (
    select county_code
    from given
    union
    select division_code
    from counted
),

by_county as (
    select
        category.measure,
        category.category,
        county.county_code as division_code,
        coalesce(counted.value, 0) as value
    from county
    cross join category
    left join counted
        on category.measure = counted.measure
        and category.category = counted.category
        and county.county_code = counted.division_code
),

by_area as (
    {{ by_every_area('by_county', ['measure', 'category'], ['value'], with_whole=false) }}
),

final as (
    select
        by_area.measure,
        measure.measure_name,
        by_area.category,
        category.category_name,
        by_area.division_code,
        by_area.division_level,
        division.name as division_name,
        by_area.value::integer as value
    from by_area
    inner join measure
        on by_area.measure = measure.measure
    inner join category
        on by_area.measure = category.measure
        and by_area.category = category.category
    left join division
        on by_area.division_code = division.code
    where by_area.division_level in ('province', 'prefecture', 'county')
)

select * from final
