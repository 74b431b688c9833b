-- All of the household card but the warnings. By far the most of its work, which thus does not wait for them.
{{ config(indexes=[{'columns': ['household_id'], 'unique': true}]) }}

with

household as (
    select *
    from {{ ref('int_household__situation') }}
),

person as (
    select *
    from {{ ref('int_person__situation') }}
),

benefit as (
    select *
    from {{ ref('int_benefit') }}
),

disability as (
    select *
    from {{ ref('int_disability') }}
),

poverty_member as (
    select *
    from {{ ref('int_poverty_member') }}
),

minimum_allowance as (
    select *
    from {{ ref('stg_minimum_allowance') }}
),

economic_check as (
    select *
    from {{ ref('stg_economic_check') }}
    where checked_on <= {{ as_of() }}
),

housing as (
    select *
    from {{ ref('stg_housing_assistance') }}
),

settlement as (
    select *
    from {{ ref('int_settlement') }}
),

education as (
    select *
    from {{ ref('int_education') }}
),

member as (
    select *
    from {{ ref('int_household_member') }}
),

latest_check as (
    select *
    from {{ ref('int_household__latest_check') }}
),

child_age as (
    {{ local_standard('child_age_below') }}
),

elder_age as (
    {{ local_standard('special_hardship_elder_age') }}
),

new_days as (
    {{ local_standard('new_disability_days') }}
),

certificates as (
    select
        person_id,
        jsonb_agg(
            jsonb_build_object('category', category, 'grade', grade, 'is_severe', is_severe, 'issued_on', issued_on)
            order by issued_on, category, grade
        ) as disabilities,
        max(issued_on) as issued_on
    from disability
    group by person_id
),

members as (
    select
        person.household_id,
        count(*) filter (where person.age < child_age.value) as children,
        count(*) filter (where person.age >= elder_age.value) as elders,
        count(*) filter (where person.is_disabled) as disabled_members,
        count(*) filter (where person.is_severely_disabled) as severely_disabled_members,
        count(*) filter (where person.is_covered) as covered_members,
        count(*) filter (where person.labour = any({{ able_to_work() }})) as labourers,
        count(*) filter (where person.is_out_of_school) as members_out_of_school,
        count(*) filter (where person.has_major_illness) as members_with_major_illness,
        sum(person.medical_self_paid) as medical_self_paid,
        sum(person.education_self_paid) as education_self_paid,
        sum(person.temporary_grants) as temporary_grants,
        sum(person.temporary_grants_yuan) as temporary_grants_yuan,
        max(certificates.issued_on) as latest_disability_on,
        jsonb_agg(
            jsonb_build_object(
                'person_id', person.person_id,
                'is_head', person.is_head,
                'relation_to_head', person.relation_to_head,
                'sex', person.sex,
                'age', person.age,
                'labour', person.labour,
                'is_covered', person.is_covered,
                'is_out_of_school', person.is_out_of_school,
                'disabilities', coalesce(certificates.disabilities, '[]')
            )
            order by person.is_head desc, person.age desc, person.person_id
        ) as entries
    from person
    inner join member
        on person.person_id = member.person_id
    inner join child_age
        on member.standard_area = child_age.standard_area
    inner join elder_age
        on member.standard_area = elder_age.standard_area
    left join certificates
        on person.person_id = certificates.person_id
    group by person.household_id
),

benefits as (
    select
        household_id,
        sum(amount_monthly) filter (where benefit = 'minimum_allowance') as minimum_allowance_yuan,
        sum(amount_monthly) filter (where benefit = 'special_hardship') as special_hardship_yuan,
        sum(amount_monthly) as benefits_yuan,
        jsonb_agg(
            jsonb_build_object(
                'benefit', benefit,
                'person_id', person_id,
                'yuan_per_month', amount_monthly,
                'yuan_once', amount_once,
                'starts_on', starts_on,
                'ends_on', ends_on,
                'data_date', _valid_from,
                'load_id', _load_id,
                'row_no', _row_no
            )
            order by benefit, starts_on, person_id, _load_id, _row_no
        ) as entries
    from benefit
    group by household_id
),

-- Every member's row tells the same of the whole certificate; one is enough.
certificate as (
    select distinct on (member.household_id, minimum_allowance._county_code, minimum_allowance.certificate_no)
        member.household_id,
        member.person_id,
        minimum_allowance.monthly_income_per_capita,
        minimum_allowance._valid_from,
        minimum_allowance._load_id,
        minimum_allowance._row_no
    from minimum_allowance
    inner join member
        on minimum_allowance.citizen_id = member.citizen_id
    order by
        member.household_id,
        minimum_allowance._county_code,
        minimum_allowance.certificate_no,
        member.is_head desc,
        member.person_id,
        minimum_allowance._load_id,
        minimum_allowance._row_no
),

told as (
    select
        household_id,
        person_id,
        'poverty_register' as feed,
        round(annual_income_per_capita / 12, 2) as yuan_per_month,
        _valid_from as told_on,
        _load_id,
        _row_no
    from poverty_member
    where is_head
    union all
    select
        household_id,
        person_id,
        'minimum_allowance' as feed,
        monthly_income_per_capita as yuan_per_month,
        _valid_from as told_on,
        _load_id,
        _row_no
    from certificate
    union all
    select
        member.household_id,
        member.person_id,
        'economic_check' as feed,
        economic_check.monthly_income_per_capita as yuan_per_month,
        economic_check.checked_on as told_on,
        economic_check._load_id,
        economic_check._row_no
    from economic_check
    inner join member
        on economic_check.citizen_id = member.citizen_id
),

incomes as (
    select
        household_id,
        jsonb_agg(
            jsonb_build_object(
                'feed', feed,
                'person_id', person_id,
                'yuan_per_month', yuan_per_month,
                'date', told_on,
                'load_id', _load_id,
                'row_no', _row_no
            )
            order by told_on desc, feed, person_id, _load_id, _row_no
        ) as entries
    from told
    group by household_id
),

-- Of several dwellings the least safe counts.
home as (
    select distinct on (member.household_id)
        member.household_id,
        housing.safety_grade,
        housing.only_home,
        housing.works,
        housing.appraised_on,
        housing._load_id,
        housing._row_no
    from housing
    inner join member
        on housing.head_citizen_id = member.citizen_id
    order by
        member.household_id,
        housing.safety_grade desc,
        housing.appraised_on desc,
        member.person_id,
        housing._load_id,
        housing._row_no
),

shock as (
    select
        household_id,
        person_id,
        'treatment' as kind,
        settled_on as happened_on,
        self_paid as yuan,
        case when major_illness then 'major_illness' end as detail,
        _load_id,
        _row_no
    from settlement
    union all
    select
        household_id,
        person_id,
        'education' as kind,
        paid_since as happened_on,
        self_paid as yuan,
        enrolment as detail,
        _load_id,
        _row_no
    from education
    where
        self_paid > 0
        or enrolment = any({{ out_of_school() }})
    union all
    select
        household_id,
        null as person_id,
        'unsafe_home' as kind,
        appraised_on as happened_on,
        null as yuan,
        safety_grade as detail,
        _load_id,
        _row_no
    from home
    where safety_grade in ('C', 'D')
    union all
    select
        disability.household_id,
        disability.person_id,
        'new_disability' as kind,
        disability.issued_on as happened_on,
        null as yuan,
        'grade ' || disability.grade as detail,
        disability._load_id,
        disability._row_no
    from disability
    inner join new_days
        on disability.standard_area = new_days.standard_area
    where {{ within_days('disability.issued_on', 'new_days.value') }}
),

shocks as (
    select
        household_id,
        jsonb_agg(
            jsonb_build_object(
                'kind', kind,
                'person_id', person_id,
                'date', happened_on,
                'yuan', yuan,
                'detail', detail,
                'load_id', _load_id,
                'row_no', _row_no
            )
            order by happened_on desc nulls last, kind, person_id, _load_id, _row_no
        ) as entries
    from shock
    group by household_id
),

final as (
    select
        household.household_id,
        household.county_code,
        household.division_code,
        head.county_name,
        head.township_name,
        head.village_name,
        household.area_type,
        household.register,
        household.poverty_status,
        household.head_person_id,
        household.members::integer as members,
        members.children::integer as children,
        members.elders::integer as elders,
        members.disabled_members::integer as disabled_members,
        members.severely_disabled_members::integer as severely_disabled_members,
        members.labourers::integer as labourers,
        members.covered_members::integer as covered_members,
        household.is_covered,
        household.is_at_risk,
        household.is_margin,
        household.is_low_income,
        round(household.income_monthly, 2) as income_monthly,
        household.income_feed,
        household.income_since,
        household.minimum_allowance_monthly as standard_monthly,
        round(household.income_monthly / household.minimum_allowance_monthly, 4) as income_in_standards,
        coalesce(benefits.minimum_allowance_yuan, 0) as minimum_allowance_yuan,
        coalesce(benefits.special_hardship_yuan, 0) as special_hardship_yuan,
        coalesce(benefits.benefits_yuan, 0) as benefits_yuan,
        members.temporary_grants::integer as temporary_grants,
        members.temporary_grants_yuan,
        members.medical_self_paid,
        members.education_self_paid,
        members.members_out_of_school::integer as members_out_of_school,
        members.members_with_major_illness::integer as members_with_major_illness,
        members.latest_disability_on,
        home.safety_grade as home_safety_grade,
        home.only_home as is_only_home,
        home.works as home_works,
        latest_check.checked_on as latest_check_on,
        latest_check.result as latest_check_result,
        latest_check.assets_over_limit as is_over_asset_limit,
        members.entries as member_list,
        coalesce(benefits.entries, '[]') as benefit_list,
        coalesce(incomes.entries, '[]') as income_list,
        coalesce(shocks.entries, '[]') as shock_list
    from household
    inner join members
        on household.household_id = members.household_id
    inner join person as head
        on household.head_person_id = head.person_id
    left join benefits
        on household.household_id = benefits.household_id
    left join incomes
        on household.household_id = incomes.household_id
    left join home
        on household.household_id = home.household_id
    left join shocks
        on household.household_id = shocks.household_id
    left join latest_check
        on household.household_id = latest_check.household_id
)

select * from final
