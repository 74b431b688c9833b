{{ config(indexes=[{'columns': ['person_id'], 'unique': true}, {'columns': ['citizen_id'], 'unique': true}]) }}

with

sightings as (
    select *
    from {{ ref('int_person__sightings') }}
),

division_change as (
    select *
    from {{ ref('division_change') }}
    where changed_on <= {{ as_of() }}
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

-- An old code is right in the rows of its time; who still lives under it on the date lives in what took its place.
-- Where a village and its county have both changed, the village's own row says more.
moved as (
    select distinct on (lived_in.division_code)
        lived_in.division_code as old_code,
        division_change.new_code || substr(lived_in.division_code, length(division_change.old_code) + 1) as new_code
    from (select distinct division_code from latest) as lived_in
    inner join division_change
        on starts_with(lived_in.division_code, division_change.old_code)
    order by
        lived_in.division_code,
        length(division_change.old_code) desc
),

at_home as (
    select
        latest.citizen_id,
        latest.name,
        coalesce(moved.new_code, latest.division_code) as division_code
    from latest
    left join moved
        on latest.division_code = moved.old_code
),

final as (
    select
        {{ known_person_id('at_home.citizen_id') }} as person_id,
        left(at_home.division_code, 6) as county_code,
        at_home.citizen_id,
        {{ person_name('at_home.name') }} as name,
        {{ sex('at_home.citizen_id') }} as sex,
        {{ birth_on('at_home.citizen_id') }} as birth_on,
        at_home.division_code
    from at_home
    {{ join_touched('at_home.citizen_id') }}
)

select * from final
