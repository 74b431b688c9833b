-- One row per person with all that a filter or a count may ask of them. The table is marts.person; the model's name is
-- longer, as identity.person has the short one.
{{ config(
    alias='person',
    incremental_strategy='mirror',
    unique_key='person_id',
    meta={'touched_by': {'column': 'person_id', 'of': 'person_id'}},
    indexes=[{'columns': ['household_id']}, {'columns': ['division_code text_pattern_ops']}],
    post_hook="{{ analyze_kept() }}",
) }}

with

person as (
    select *
    from {{ ref('int_person__situation') }}
),

warning as (
    select *
    from {{ ref('warning') }}
    where
        closed_on is null
        and {{ is_touched('person_id') }}
),

warned as (
    select
        person_id,
        count(*) as warnings
    from warning
    where scope = 'P'
    group by person_id
),

household_warned as (
    select
        household_id,
        count(*) as warnings
    from warning
    group by household_id
),

final as (
    select
        person.*,
        coalesce(warned.warnings, 0)::integer as person_warnings,
        coalesce(household_warned.warnings, 0)::integer as household_warnings
    from person
    left join warned
        on person.person_id = warned.person_id
    left join household_warned
        on person.household_id = household_warned.household_id
)

select * from final
