-- Every figure that a chart may show, in one long table: what reference.metric_definition defines, for each area from
-- the township up and for the whole. A share carries its numerator and denominator, for shares of two areas cannot be
-- added.
{{ config(
    incremental_strategy='mirror',
    unique_key=['metric', 'item', 'division_code', 'period', 'last_on'],
) }}

with

coverage_gap as (
    select *
    from {{ ref('coverage_gap') }}
),

area_summary as (
    select *
    from {{ ref('area_summary') }}
),

register_comparison as (
    select *
    from {{ ref('register_comparison_month') }}
),

special_group as (
    select *
    from {{ ref('special_group_month') }}
),

quarterly_report as (
    select *
    from {{ ref('quarterly_report') }}
),

definition as (
    select *
    from {{ ref('metric_definition') }}
),

coverage as (
    select
        division_code,
        division_level,
        division_name,
        sum(at_risk_people) as at_risk_people,
        sum(minimum_allowance_people + special_hardship_people) as covered_people,
        sum(uncovered_people) as uncovered_people,
        sum(uncovered_households) as uncovered_households
    from coverage_gap
    group by
        division_code,
        division_level,
        division_name
),

warning as (
    select
        division_code,
        division_level,
        division_name,
        indicator_code,
        open_warnings,
        overdue_warnings
    from area_summary
    union all
    select
        '*' as division_code,
        'whole' as division_level,
        null as division_name,
        indicator_code,
        sum(open_warnings) as open_warnings,
        sum(overdue_warnings) as overdue_warnings
    from area_summary
    where division_level = 'province'
    group by indicator_code
),

measured as (
    {% for metric, numerator, denominator in [
        ('at_risk_people', 'at_risk_people', none),
        ('uncovered_people', 'uncovered_people', none),
        ('uncovered_households', 'uncovered_households', none),
        ('covered_share', 'covered_people', 'at_risk_people'),
    ] %}
    select
        '{{ metric }}' as metric,
        'all' as item,
        division_code,
        division_level,
        division_name,
        'day' as period,
        {{ as_of() }} as first_on,
        {{ as_of() }} as last_on,
        {{ numerator }} as numerator,
        {{ denominator or 'null::numeric' }} as denominator
    from coverage
    union all
    {% endfor %}
    {% for metric, numerator, denominator in [
        ('open_warnings', 'open_warnings', none),
        ('overdue_warnings', 'overdue_warnings', none),
        ('overdue_share', 'overdue_warnings', 'open_warnings'),
    ] %}
    select
        '{{ metric }}' as metric,
        indicator_code as item,
        division_code,
        division_level,
        division_name,
        'day' as period,
        {{ as_of() }} as first_on,
        {{ as_of() }} as last_on,
        {{ numerator }} as numerator,
        {{ denominator or 'null::numeric' }} as denominator
    from warning
    union all
    {% endfor %}
    {% for metric, item, numerator, source in [
        ('register_differences', 'kind', 'standing_people', 'register_comparison'),
        ('register_differences_new', 'kind', 'new_people', 'register_comparison'),
        ('register_differences_gone', 'kind', 'gone_people', 'register_comparison'),
        ('special_group_people', 'special_group', 'people', 'special_group'),
        ('special_group_joined', 'special_group', 'joined_people', 'special_group'),
        ('special_group_left', 'special_group', 'left_people', 'special_group'),
    ] %}
    select
        '{{ metric }}' as metric,
        {{ item }} as item,
        division_code,
        division_level,
        division_name,
        'month' as period,
        month as first_on,
        least((month + interval '1 month')::date - 1, {{ as_of() }}) as last_on,
        {{ numerator }} as numerator,
        null::numeric as denominator
    from {{ source }}
    union all
    {% endfor %}
    select
        measure as metric,
        item,
        division_code,
        division_level,
        division_name,
        period,
        first_on,
        last_on,
        amount as numerator,
        null::numeric as denominator
    from quarterly_report
),

final as (
    select
        {{ as_of() }} as as_of,
        measured.metric,
        definition.name_en as metric_name_en,
        definition.name_zh as metric_name_zh,
        measured.item,
        measured.division_code,
        measured.division_level,
        measured.division_name,
        measured.period,
        measured.first_on,
        measured.last_on,
        case
            when measured.denominator is null then measured.numerator::numeric
            else round(measured.numerator / nullif(measured.denominator::numeric, 0), 4)
        end as amount,
        definition.unit,
        measured.numerator::numeric as numerator,
        measured.denominator::numeric as denominator
    from measured
    inner join definition
        on measured.metric = definition.metric
    where measured.division_level <> 'village'
)

select * from final
