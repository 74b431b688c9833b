-- Why a household counts as low-income, in the form that an indicator's evidence takes up. No `with` here: Postgres
-- merges such a view into the query that reads it, and then puts it together only for the households that are left.
{{ config(materialized='view') }}

select
    {{ county_of('household') }}
    household.household_id,
    jsonb_build_array({{ compared(
        name='low_income_as',
        value="case when household.is_covered then 'covered' when household.is_at_risk then 'at_risk'"
        ~ " else 'margin' end",
        comparison='in',
        expected="array['covered', 'at_risk', 'margin']",
    ) }})
    || case
        when household.is_margin
            then jsonb_build_array(
                {{ compared(
                    name='income_monthly',
                    value='round(household.income_monthly, 2)',
                    comparison='>=',
                    limit='minimum_allowance',
                    unit='yuan per person and month',
                ) }},
                {{ compared(
                    name='income_in_standards',
                    value='round(household.income_monthly / household.minimum_allowance_monthly, 4)',
                    comparison='<',
                    limit='margin',
                    unit='times the standard',
                ) }}
            )
        else '[]'
    end as compared,
    coalesce(
        (
            select
                jsonb_agg(
                    {{ fact_of(
                        'coverage.feed',
                        'told.column_name',
                        "case told.column_name when 'start_date' then coverage.start_date else coverage.end_date end",
                        'coverage',
                        'coverage._valid_from',
                    ) }}
                    order by
                        coverage.feed, coverage.certificate_no, coverage.citizen_id,
                        coverage._load_id, coverage._row_no, told.column_name desc
                )
            from (select * from {{ ref('int_coverage') }}) as coverage
            cross join unnest(array['start_date', 'end_date']) as told (column_name)
            where
                {{ same_county('coverage', 'household') }}
                coverage.household_id = household.household_id
                and (told.column_name = 'start_date' or coverage.end_date is not null)
        ),
        '[]'
    )
    || case
        when household.is_at_risk
            then jsonb_build_array(
                {{ fact('poverty_register', 'status', 'head', 'head._valid_from', 'head.poverty_status') }}
            )
        else '[]'
    end
    || case
        when household.is_margin
            then jsonb_build_array({{ income_fact('household') }})
        else '[]'
    end
    || case
        when household.is_margin and latest_check.household_id is not null
            then jsonb_build_array(
                {{ fact('economic_check', 'assets_over_limit', 'latest_check', 'latest_check.checked_on') }}
            )
        else '[]'
    end as facts
from (select * from {{ ref('int_household__situation') }}) as household
inner join (select * from {{ ref('int_household_member') }}) as head -- noqa: ST05
    on {{ same_county('household', 'head') }} household.head_person_id = head.person_id
left join (select * from {{ ref('int_household__latest_check') }}) as latest_check -- noqa: ST05
    on {{ same_county('household', 'latest_check') }} household.household_id = latest_check.household_id
left join (select * from {{ ref('int_local_standard') }}) as minimum_allowance -- noqa: ST05
    on household.standard_area = minimum_allowance.standard_area
    and minimum_allowance.name = 'minimum_allowance_monthly.' || household.area_type
left join (select * from {{ ref('int_local_standard') }}) as margin -- noqa: ST05
    on household.standard_area = margin.standard_area
    and margin.name = 'low_margin_multiple'
where household.is_low_income
