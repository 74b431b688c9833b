{{ config(indexes=[{'columns': ['household_id'], 'unique': true}]) }}

with

member as (
    select *
    from {{ ref('int_household_member') }}
),

minimum_allowance as (
    select *
    from {{ ref('stg_minimum_allowance') }}
),

special_hardship as (
    select *
    from {{ ref('stg_special_hardship') }}
),

economic_check as (
    select *
    from {{ ref('stg_economic_check') }}
    where checked_on <= {{ as_of() }}
),

area_type_told as (
    select
        'minimum_allowance' as feed,
        citizen_id,
        area_type,
        _data_date as told_on,
        certificate_no as record_no
    from minimum_allowance
    union all
    select
        'special_hardship' as feed,
        citizen_id,
        area_type,
        _data_date as told_on,
        certificate_no as record_no
    from special_hardship
    union all
    select
        'economic_check' as feed,
        citizen_id,
        area_type,
        checked_on as told_on,
        check_no as record_no
    from economic_check
),

area_type as (
    select distinct on (member.household_id)
        member.household_id,
        area_type_told.area_type
    from area_type_told
    inner join member
        on area_type_told.citizen_id = member.citizen_id
    order by
        member.household_id,
        area_type_told.told_on desc,
        {{ precedence('area_type_told.feed') }},
        member.is_head desc,
        member.citizen_id,
        area_type_told.record_no,
        area_type_told.area_type
),

final as (
    select
        head.household_id,
        head.county_code,
        head.division_code,
        head.standard_area,
        head.register,
        head.register_no,
        head.person_id as head_person_id,
        head.members,
        coalesce(area_type.area_type, 'rural') as area_type,
        head.poverty_status
    from member as head
    left join area_type
        on head.household_id = area_type.household_id
    where head.is_head
)

select * from final
