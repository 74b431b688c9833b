-- Records of minimum allowance and special hardship under which somebody is covered on the date.
{{ config(indexes=[{'columns': ['person_id']}, {'columns': ['household_id']}]) }}

with

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

records as (
    select
        'minimum_allowance' as feed,
        certificate_no,
        citizen_id,
        start_date,
        end_date,
        _county_code,
        _valid_from,
        _load_id,
        _row_no
    from minimum_allowance
    union all
    select
        'special_hardship' as feed,
        certificate_no,
        citizen_id,
        start_date,
        end_date,
        _county_code,
        _valid_from,
        _load_id,
        _row_no
    from special_hardship
),

final as (
    select
        member.person_id,
        member.household_id,
        member.county_code,
        records.*
    from records
    inner join member
        on records.citizen_id = member.citizen_id
    where
        records.start_date <= {{ as_of() }}
        and (records.end_date is null or records.end_date >= {{ as_of() }})
)

select * from final
