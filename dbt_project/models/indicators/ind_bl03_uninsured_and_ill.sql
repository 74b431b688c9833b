with

settlement as (
    select *
    from {{ ref('int_settlement') }}
),

household as (
    select *
    from {{ ref('int_household') }}
),

cost_limit as (
    {{ local_standard('uninsured_total_cost') }}
),

look_back as (
    {{ local_standard('look_back_months') }}
),

-- All that the treatment cost counts, also what was settled while the person was insured.
ill as (
    select
        person_id,
        household_id,
        sum(total_cost) as total_cost,
        max(settled_on) as settled_on
    from settlement
    group by
        person_id,
        household_id
    having bool_or(not insured)
),

found as (
    select
        ill.*,
        household.division_code,
        household.standard_area
    from ill
    inner join household
        on ill.household_id = household.household_id
    inner join cost_limit
        on household.standard_area = cost_limit.standard_area
    where ill.total_cost > cost_limit.value
),

settled as (
    select
        settlement.person_id,
        jsonb_agg(
            {{ fact('medical_assistance', 'total_cost', 'settlement', 'settlement.settled_on') }}
            order by settlement.settled_on, settlement.settlement_no, settlement._load_id, settlement._row_no
        )
        || jsonb_agg(
            {{ fact('medical_assistance', 'insured', 'settlement', 'settlement.settled_on') }}
            order by settlement.settled_on, settlement.settlement_no, settlement._load_id, settlement._row_no
        ) filter (where not settlement.insured) as facts
    from settlement
    inner join found
        on settlement.person_id = found.person_id
    group by settlement.person_id
),

final as (
    select
        'BL03' as indicator_code,
        'P' as scope,
        found.person_id,
        found.household_id,
        found.division_code,
        found.settled_on as fact_on,
        {{ evidence(
            compared=[
                compared('total_cost', 'found.total_cost', '>', limit='cost_limit', unit='yuan'),
                compared('insured', 'false', '=', expected='false'),
                compared('settled_on', 'found.settled_on', 'within', limit='look_back'),
            ],
            facts_of=['settled.facts'],
        ) }} as evidence
    from found
    inner join settled
        on found.person_id = settled.person_id
    inner join cost_limit
        on found.standard_area = cost_limit.standard_area
    inner join look_back
        on found.standard_area = look_back.standard_area
)

select * from final
