-- Who was in what, from when to when: one row per person, membership and unbroken time, from all that was known on the
-- date. A list tells when a record is there; the start that a record gives is believed where the list before could not
-- have had it yet, and where there was no list before. Who is on the very first list without a start has no known one.
-- The table is kept from night to night, as reports count over everybody's times.
{{ config(
    materialized='incremental',
    unlogged=false,
    incremental_strategy='mirror',
    unique_key=['person_id', 'membership', 'joined_on'],
    on_schema_change='append_new_columns',
    meta={'touched_by': {'column': 'person_id', 'of': 'person_id'}},
    indexes=[{'columns': ['person_id']}, {'columns': ['membership', 'joined_on']}],
    post_hook="{{ analyze_kept() }}",
) }}

with

minimum_allowance as (
    select *
    from {{ ref('stg_minimum_allowance__versions') }}
),

special_hardship as (
    select *
    from {{ ref('stg_special_hardship__versions') }}
),

disability as (
    select *
    from {{ ref('stg_disability__versions') }}
),

left_behind as (
    select *
    from {{ ref('stg_left_behind__versions') }}
),

child_protection as (
    select *
    from {{ ref('stg_child_protection__versions') }}
),

list_day as (
    select *
    from {{ ref('int_list_day') }}
),

record as (
    select
        'minimum_allowance' as feed,
        'minimum_allowance' as membership,
        citizen_id,
        division_code,
        true as is_in,
        start_date as starts_on,
        end_date as ends_on,
        _county_code,
        _valid_from,
        _valid_to
    from minimum_allowance
    union all
    select
        'special_hardship' as feed,
        'special_hardship' as membership,
        citizen_id,
        division_code,
        true as is_in,
        start_date as starts_on,
        end_date as ends_on,
        _county_code,
        _valid_from,
        _valid_to
    from special_hardship
    union all
    select
        'disability' as feed,
        'disability_certificate' as membership,
        citizen_id,
        division_code,
        status = 'valid' as is_in,
        issued_on as starts_on,
        expires_on as ends_on,
        _county_code,
        _valid_from,
        _valid_to
    from disability
    union all
    select
        'disability' as feed,
        'living_subsidy' as membership,
        citizen_id,
        division_code,
        living_subsidy as is_in,
        null as starts_on,
        null as ends_on,
        _county_code,
        _valid_from,
        _valid_to
    from disability
    union all
    select
        'disability' as feed,
        'care_subsidy' as membership,
        citizen_id,
        division_code,
        care_subsidy as is_in,
        null as starts_on,
        null as ends_on,
        _county_code,
        _valid_from,
        _valid_to
    from disability
    union all
    select
        'left_behind' as feed,
        'left_behind_' || kind as membership,
        citizen_id,
        division_code,
        true as is_in,
        registered_on as starts_on,
        null as ends_on,
        _county_code,
        _valid_from,
        _valid_to
    from left_behind
    union all
    select
        'child_protection' as feed,
        kind as membership,
        citizen_id,
        division_code,
        true as is_in,
        start_date as starts_on,
        end_date as ends_on,
        _county_code,
        _valid_from,
        _valid_to
    from child_protection
),

list as (
    select
        feed,
        _county_code,
        listed_on,
        lag(listed_on) over (partition by feed, _county_code order by listed_on) as previous_on
    from list_day
),

dated as (
    select
        record.membership,
        record.citizen_id,
        record.division_code,
        record._valid_from,
        case
            when list.previous_on is null or record.starts_on > list.previous_on
                then coalesce(record.starts_on, record._valid_from)
            else record._valid_from
        end as in_from,
        list.previous_on is not null or record.starts_on is not null as is_start_known,
        least(record.ends_on + 1, record._valid_to) as in_until
    from record
    inner join list
        on record.feed = list.feed
        and record._county_code = list._county_code
        and record._valid_from = list.listed_on
    where record.is_in
),

placed as (
    select
        dated.*,
        coalesce(
            dated.in_from > max(dated.in_until) over (
                partition by dated.membership, dated.citizen_id
                order by dated.in_from, dated._valid_from, dated.in_until, dated.division_code
                rows between unbounded preceding and 1 preceding
            ),
            true
        ) as begins
    from dated
    where
        dated.in_from < dated.in_until
        and dated.in_from <= {{ as_of() }}
),

numbered as (
    select
        placed.*,
        count(*) filter (where placed.begins) over (
            partition by placed.membership, placed.citizen_id
            order by placed.in_from, placed._valid_from, placed.in_until, placed.division_code
            rows between unbounded preceding and current row
        ) as spell_no
    from placed
),

spell as (
    select
        membership,
        citizen_id,
        spell_no,
        min(in_from) as joined_on,
        bool_and(is_start_known) filter (where begins) as is_start_known,
        max(in_until) as in_until,
        (array_agg(division_code order by in_from, _valid_from, in_until, division_code))[1] as joined_division_code,
        (array_agg(division_code order by in_from desc, _valid_from desc, in_until desc, division_code))[1]
            as division_code
    from numbered
    group by
        membership,
        citizen_id,
        spell_no
),

final as (
    select
        {{ known_person_id('spell.citizen_id') }} as person_id,
        spell.membership,
        spell.joined_on,
        spell.is_start_known,
        case when spell.in_until <= {{ as_of() }} then spell.in_until end as left_on,
        spell.joined_division_code,
        spell.division_code
    from spell
    {{ join_touched('spell.citizen_id') }}
)

select * from final
