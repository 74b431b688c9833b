-- Whom current rows do not all call by one name, in one place. The table is kept from night to night: the next one
-- looks here for whom it touches where one list has overtaken another (doudi.transform.touched).
{{ config(
    materialized='incremental',
    unlogged=false,
    incremental_strategy='mirror',
    unique_key='citizen_id',
    on_schema_change='append_new_columns',
    meta={'touched_by': {'column': 'citizen_id', 'of': 'citizen_id'}},
) }}

with

sightings as (
    select
        *,
        {{ person_name('name') }} as normalised_name
    from {{ ref('int_person__sightings') }}
),

told as (
    select
        citizen_id,
        min(division_code) as first_division_code,
        bool_or(is_own) as has_own,
        coalesce(
            min(normalised_name) filter (where is_own) <> max(normalised_name) filter (where is_own)
            or min(division_code) filter (where is_own) <> max(division_code) filter (where is_own),
            false
        ) as do_own_differ,
        coalesce(
            min(normalised_name) <> max(normalised_name) or min(division_code) <> max(division_code),
            false
        ) as do_any_differ,
        -- Two names and two feeds: then some two rows of different feeds differ.
        coalesce(
            min(normalised_name) <> max(normalised_name)
            and min(feed) filter (where name is not null) <> max(feed) filter (where name is not null),
            false
        ) as is_named_differently,
        array_agg(feed) as feeds
    from sightings
    group by citizen_id
),

final as (
    select
        citizen_id,
        left(first_division_code, 6) as county_code,
        is_named_differently,
        -- A person's own rows are believed before mentions in those of others (int_person).
        case when has_own then do_own_differ else do_any_differ end as is_latest_believed,
        array_to_string(
            array(
                select distinct unnest(feeds) as feed
                order by feed
            ),
            ' '
        ) as feeds
    from told
)

select * from final
where is_named_differently or is_latest_believed
