with

person as (
    select *
    from {{ ref('int_person') }}
),

member as (
    select *
    from {{ ref('int_household_member') }}
),

household as (
    select *
    from {{ ref('int_household__situation') }}
),

poverty_member as (
    select *
    from {{ ref('int_poverty_member') }}
),

benefit as (
    select *
    from {{ ref('int_benefit') }}
),

disability as (
    select *
    from {{ ref('int_disability') }}
),

settlement as (
    select *
    from {{ ref('int_settlement') }}
),

education as (
    select *
    from {{ ref('int_education') }}
),

spell as (
    select *
    from {{ ref('int_spell') }}
    where
        left_on is null
        and {{ is_touched('person_id') }}
),

age_band as (
    select *
    from {{ ref('age_band') }}
),

division as (
    {{ divisions() }}
),

given as (
    select
        person_id,
        bool_or(benefit = 'minimum_allowance') as has_minimum_allowance,
        bool_or(benefit = 'special_hardship') as has_special_hardship,
        bool_or(benefit = 'living_subsidy') as has_living_subsidy,
        bool_or(benefit = 'care_subsidy') as has_care_subsidy,
        bool_or(benefit = 'child_protection') as has_child_protection,
        count(*) filter (where benefit = 'temporary_assistance') as temporary_grants,
        sum(amount_once) as temporary_grants_yuan
    from benefit
    group by person_id
),

disabled as (
    select
        person_id,
        bool_or(is_severe) as is_severe
    from disability
    group by person_id
),

treated as (
    select
        person_id,
        sum(self_paid) as self_paid,
        bool_or(major_illness) as has_major_illness
    from settlement
    group by person_id
),

taught as (
    select
        person_id,
        bool_or(enrolment = any({{ out_of_school() }})) as is_out_of_school,
        sum(self_paid) as self_paid
    from education
    group by person_id
),

grouped as (
    select
        person_id,
        bool_or(membership = 'left_behind_child') as is_left_behind_child,
        bool_or(membership = 'left_behind_woman') as is_left_behind_woman,
        bool_or(membership = 'left_behind_elder') as is_left_behind_elder,
        bool_or(membership = 'orphan') as is_orphan,
        bool_or(membership = 'de_facto_unsupported') as is_de_facto_unsupported
    from spell
    group by person_id
),

aged as (
    select
        person_id,
        sex,
        {{ age_on('birth_on') }} as age
    from person
),

final as (
    select
        member.person_id,
        member.household_id,
        member.county_code,
        member.division_code,
        county.name as county_name,
        township.name as township_name,
        village.name as village_name,
        household.area_type,
        aged.sex,
        aged.age,
        age_band.age_band,
        member.is_head,
        member.relation_to_head,
        member.members::integer as household_members,
        member.register,
        household.poverty_status,
        poverty_member.labour,
        coalesce(given.has_minimum_allowance or given.has_special_hardship, false) as is_covered,
        coalesce(given.has_minimum_allowance, false) as has_minimum_allowance,
        coalesce(given.has_special_hardship, false) as has_special_hardship,
        household.is_covered as is_household_covered,
        household.is_at_risk,
        household.is_margin,
        household.is_low_income,
        disabled.person_id is not null as is_disabled,
        coalesce(disabled.is_severe, false) as is_severely_disabled,
        coalesce(given.has_living_subsidy, false) as has_living_subsidy,
        coalesce(given.has_care_subsidy, false) as has_care_subsidy,
        coalesce(given.has_child_protection, false) as has_child_protection,
        coalesce(grouped.is_left_behind_child, false) as is_left_behind_child,
        coalesce(grouped.is_left_behind_woman, false) as is_left_behind_woman,
        coalesce(grouped.is_left_behind_elder, false) as is_left_behind_elder,
        coalesce(grouped.is_orphan, false) as is_orphan,
        coalesce(grouped.is_de_facto_unsupported, false) as is_de_facto_unsupported,
        coalesce(taught.is_out_of_school, false) as is_out_of_school,
        coalesce(treated.has_major_illness, false) as has_major_illness,
        coalesce(treated.self_paid, 0) as medical_self_paid,
        coalesce(taught.self_paid, 0) as education_self_paid,
        coalesce(given.temporary_grants, 0)::integer as temporary_grants,
        coalesce(given.temporary_grants_yuan, 0) as temporary_grants_yuan
    from member
    inner join aged
        on member.person_id = aged.person_id
    inner join household
        on member.household_id = household.household_id
    left join age_band
        on aged.age >= age_band.age_from
        and aged.age <= coalesce(age_band.age_to, aged.age)
    left join poverty_member
        on member.person_id = poverty_member.person_id
    left join given
        on member.person_id = given.person_id
    left join disabled
        on member.person_id = disabled.person_id
    left join treated
        on member.person_id = treated.person_id
    left join taught
        on member.person_id = taught.person_id
    left join grouped
        on member.person_id = grouped.person_id
    left join division as county
        on member.county_code = county.code
    left join division as township
        on left(member.division_code, 9) = township.code
    left join division as village
        on member.division_code = village.code
)

select * from final
