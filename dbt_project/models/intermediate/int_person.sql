{{ config(indexes=[{'columns': ['person_id'], 'unique': true}, {'columns': ['citizen_id'], 'unique': true}]) }}

with

sightings as (
    select *
    from {{ ref('int_person__sightings') }}
),

latest as (
    select distinct on (citizen_id)
        citizen_id,
        name,
        division_code
    from sightings
    order by
        citizen_id,
        is_own desc,
        name is null,
        _data_date desc,
        {{ precedence('feed') }},
        feed,
        division_code,
        name
),

final as (
    select
        {{ person_id('citizen_id') }} as person_id,
        left(division_code, 6) as county_code,
        citizen_id,
        {{ person_name('name') }} as name,
        {{ sex('citizen_id') }} as sex,
        {{ birth_on('citizen_id') }} as birth_on,
        division_code
    from latest
)

select * from final
