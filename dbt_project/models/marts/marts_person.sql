-- One row per person with all that a filter or a count may ask of them. The table is marts.person; the model's name is
-- longer, as identity.person has the short one.
{{ config(
    alias='person',
    incremental_strategy='mirror',
    unique_key='person_id',
    meta={'touched_by': {'column': 'person_id', 'of': 'person_id'}},
    indexes=[{'columns': ['household_id']}, {'columns': ['division_code text_pattern_ops']}],
    post_hook="analyze {{ this }}",
) }}

with

person as (
    select *
    from {{ ref('int_person__situation') }}
),

warning as (
    select *
    from {{ ref('warning') }}
    where closed_on is null
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
        person.person_id,
        person.household_id,
        person.county_code,
        person.division_code,
        person.county_name,
        person.township_name,
        person.village_name,
        person.area_type,
        person.sex,
        person.age,
        person.age_band,
        person.is_head,
        person.relation_to_head,
        person.household_members,
        person.register,
        person.poverty_status,
        person.labour,
        person.is_covered,
        person.has_minimum_allowance,
        person.has_special_hardship,
        person.is_household_covered,
        person.is_at_risk,
        person.is_margin,
        person.is_low_income,
        person.is_disabled,
        person.is_severely_disabled,
        person.has_living_subsidy,
        person.has_care_subsidy,
        person.has_child_protection,
        person.is_left_behind_child,
        person.is_left_behind_woman,
        person.is_left_behind_elder,
        person.is_orphan,
        person.is_de_facto_unsupported,
        person.is_out_of_school,
        person.has_major_illness,
        person.medical_self_paid,
        person.education_self_paid,
        person.temporary_grants,
        person.temporary_grants_yuan,
        coalesce(warned.warnings, 0)::integer as person_warnings,
        coalesce(household_warned.warnings, 0)::integer as household_warnings
    from person
    left join warned
        on person.person_id = warned.person_id
    left join household_warned
        on person.household_id = household_warned.household_id
)

select * from final
