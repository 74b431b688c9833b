-- Who has begun to receive minimum allowance or special hardship support in the last days, as the village puts it up.
{{ config(
    incremental_strategy='mirror',
    unique_key=['county_code', 'benefit', 'certificate_no'],
    meta={'touched_by': {'column': 'person_ids[1]', 'of': 'person_id'}},
) }}

with

coverage as (
    select *
    from {{ ref('int_coverage') }}
),

minimum_allowance as (
    select *
    from {{ ref('stg_minimum_allowance') }}
),

special_hardship as (
    select *
    from {{ ref('stg_special_hardship') }}
),

member as (
    select *
    from {{ ref('int_household_member') }}
),

division as (
    {{ divisions() }}
),

notice_days as (
    {{ local_standard('notice_days') }}
),

record as (
    select
        'minimum_allowance' as feed,
        _load_id,
        _row_no,
        citizen_id,
        head_citizen_id,
        head_name as name,
        household_size,
        monthly_amount
    from minimum_allowance
    union all
    select
        'special_hardship' as feed,
        _load_id,
        _row_no,
        citizen_id,
        citizen_id as head_citizen_id,
        name,
        1 as household_size,
        monthly_amount
    from special_hardship
),

covered as (
    select
        coverage.*,
        record.citizen_id = record.head_citizen_id as is_head,
        record.head_citizen_id,
        record.name,
        record.household_size,
        record.monthly_amount,
        member.division_code
    from coverage
    inner join record
        on coverage.feed = record.feed
        and coverage._load_id = record._load_id
        and coverage._row_no = record._row_no
    inner join member
        on coverage.person_id = member.person_id
    inner join notice_days
        on member.standard_area = notice_days.standard_area
    where {{ within_days('coverage.start_date', 'notice_days.value') }}
),

-- One row of a certificate stands for it, the head's if the head is among those covered.
listed as (
    select distinct on (_county_code, feed, certificate_no) *
    from covered
    order by
        _county_code,
        feed,
        certificate_no,
        is_head desc,
        citizen_id,
        _load_id,
        _row_no
),

people as (
    select
        _county_code,
        feed,
        certificate_no,
        array_agg(person_id order by person_id) as person_ids
    from covered
    group by
        _county_code,
        feed,
        certificate_no
),

head as (
    select
        citizen_id,
        person_id
    from member
),

final as (
    select
        listed._county_code as county_code,
        listed.feed as benefit,
        case listed.feed when 'minimum_allowance' then '最低生活保障' else '特困人员救助供养' end as benefit_name,
        listed.certificate_no,
        listed.division_code,
        county.name as county_name,
        township.name as township_name,
        village.name as village_name,
        head.person_id as head_person_id,
        people.person_ids,
        listed.name,
        listed.head_citizen_id as citizen_id,
        listed.household_size::integer as household_size,
        cardinality(people.person_ids) as covered_members,
        listed.monthly_amount::numeric(16, 2) as monthly_amount,
        listed.start_date as starts_on
    from listed
    inner join people
        on listed._county_code = people._county_code
        and listed.feed = people.feed
        and listed.certificate_no = people.certificate_no
    left join head
        on listed.head_citizen_id = head.citizen_id
    left join division as county
        on left(listed.division_code, 6) = county.code
    left join division as township
        on left(listed.division_code, 9) = township.code
    left join division as village
        on listed.division_code = village.code
)

select * from final
