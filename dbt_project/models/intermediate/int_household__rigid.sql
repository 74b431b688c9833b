-- Rigid expenditure: what a household had to pay itself, for treatment within the look-back months and for education.
-- No `with` here: Postgres merges such a view into the query that reads it, and then puts the facts together only for
-- the households that are left there, which are few.
{{ config(materialized='view') }}

select
    expenditure.household_id,
    expenditure.county_code,
    expenditure.rigid_expenditure,
    expenditure.paid_on,
    coalesce(
        (
            select
                jsonb_agg(
                    {{ fact('medical_assistance', 'self_paid', 'settlement', 'settlement.settled_on') }}
                    order by settlement.settled_on, settlement.settlement_no, settlement._load_id, settlement._row_no
                )
            from (select * from {{ ref('int_settlement') }}) as settlement
            where
                {{ same_county('settlement', 'expenditure') }}
                settlement.household_id = expenditure.household_id
                and settlement.self_paid > 0
        ),
        '[]'
    )
    || coalesce(
        (
            select
                jsonb_agg(
                    {{ fact('education_assistance', 'self_paid', 'education', 'education._valid_from') }}
                    order by education.student_no, education._county_code
                )
            from (select * from {{ ref('int_education') }}) as education
            where
                {{ same_county('education', 'expenditure') }}
                education.household_id = expenditure.household_id
                and education.self_paid > 0
        ),
        '[]'
    ) as facts
from (
    select
        paid.household_id,
        paid.county_code,
        sum(paid.amount) as rigid_expenditure,
        max(paid.paid_on) as paid_on
    from (
        select
            household_id,
            county_code,
            self_paid_total as amount,
            settled_on as paid_on
        from {{ ref('int_person__self_paid') }}
        where self_paid_total > 0
        union all
        select
            household_id,
            county_code,
            education_self_paid as amount,
            paid_since as paid_on
        from {{ ref('int_household__education_paid') }}
    ) as paid
    group by
        paid.household_id,
        paid.county_code
) as expenditure
