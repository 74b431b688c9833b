with

paid as (
    select *
    from {{ ref('int_household__education_paid') }}
),

education as (
    select *
    from {{ ref('int_education') }}
    where self_paid > 0
),

household as (
    select *
    from {{ ref('int_household__situation') }}
    where is_low_income
),

low_income as (
    select *
    from {{ ref('int_household__low_income') }}
),

self_paid_limit as (
    {{ local_standard('education_self_paid') }}
),

found as (
    select
        {{ county_of('household') }}
        household.household_id,
        household.head_person_id,
        household.division_code,
        household.standard_area,
        paid.education_self_paid,
        paid.paid_since
    from household
    inner join paid
        on {{ same_county('household', 'paid') }} household.household_id = paid.household_id
    inner join self_paid_limit
        on household.standard_area = self_paid_limit.standard_area
    where paid.education_self_paid > self_paid_limit.value
),

payments as (
    select
        {{ county_of('education') }}
        education.household_id,
        jsonb_agg(
            {{ fact('education_assistance', 'self_paid', 'education', 'education._valid_from') }}
            order by education.student_no, education._county_code
        ) as facts
    from education
    inner join found
        on {{ same_county('education', 'found') }} education.household_id = found.household_id
    group by {{ county_of('education') }} education.household_id
),

final as (
    select
        'BL07' as indicator_code,
        'H' as scope,
        found.head_person_id as person_id,
        found.household_id,
        found.division_code,
        found.paid_since as fact_on,
        {{ evidence(
            compared=[
                compared('education_self_paid', 'found.education_self_paid', '>', limit='self_paid_limit', unit='yuan'),
            ],
            compared_of=['low_income.compared'],
            facts_of=['payments.facts', 'low_income.facts'],
        ) }} as evidence
    from found
    inner join payments
        on {{ same_county('found', 'payments') }} found.household_id = payments.household_id
    inner join low_income
        on {{ same_county('found', 'low_income') }} found.household_id = low_income.household_id
    inner join self_paid_limit
        on found.standard_area = self_paid_limit.standard_area
)

select * from final
