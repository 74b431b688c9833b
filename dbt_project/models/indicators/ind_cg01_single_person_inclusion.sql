with

certificate as (
    select *
    from {{ ref('int_disability') }}
    where is_severe
),

settlement as (
    select *
    from {{ ref('int_settlement') }}
    where major_illness
),

household as (
    select *
    from {{ ref('int_household__situation') }}
),

member as (
    select *
    from {{ ref('int_household_member') }}
),

coverage as (
    select *
    from {{ ref('int_coverage') }}
),

low_income as (
    select *
    from {{ ref('int_household__low_income') }}
),

versions as (
    select *
    from {{ ref('stg_poverty_register__versions') }}
),

look_back as (
    {{ local_standard('look_back_months') }}
),

disabled as (
    select distinct on (person_id) *
    from certificate
    order by
        person_id,
        issued_on,
        certificate_no,
        _county_code,
        _load_id,
        _row_no
),

ill as (
    select distinct on (person_id) *
    from settlement
    order by
        person_id,
        settled_on desc,
        settlement_no,
        _load_id,
        _row_no
),

-- Whichever came first was reason enough.
afflicted as (
    select
        {{ county_of() }}
        person_id,
        household_id,
        min(since) as since
    from (
        select
            {{ county_of() }}
            person_id,
            household_id,
            issued_on as since
        from disabled
        union all
        select
            {{ county_of() }}
            person_id,
            household_id,
            settled_on as since
        from ill
    ) as afflictions
    group by
        {{ county_of() }}
        person_id,
        household_id
),

found as (
    select
        {{ county_of('household') }}
        afflicted.person_id,
        afflicted.household_id,
        afflicted.since as afflicted_since,
        household.division_code,
        household.standard_area,
        household.is_margin,
        household.income_since,
        household.poverty_status,
        head.register_no as household_no,
        head.citizen_id,
        head._county_code,
        head._valid_from,
        head._load_id,
        head._row_no
    from afflicted
    inner join household
        on {{ same_county('afflicted', 'household') }} afflicted.household_id = household.household_id
    inner join member as head
        on {{ same_county('household', 'head') }} household.head_person_id = head.person_id
    where
        (household.is_margin or household.poverty_status = 'not_lifted')
        and not exists (
            select 1
            from coverage
            where {{ same_county('coverage', 'afflicted') }} coverage.person_id = afflicted.person_id
        )
),

not_lifted as (
    {{ since(
        'versions',
        records='found',
        key=['_county_code', 'household_no', 'citizen_id'],
        state="status = 'not_lifted'",
    ) }}
),

margin_reason as (
    select *
    from low_income
    where
        household_id in (
            select found.household_id
            from found
            where found.is_margin
        )
),

final as (
    select
        'CG01' as indicator_code,
        'P' as scope,
        found.person_id,
        found.household_id,
        found.division_code,
        greatest(
            found.afflicted_since,
            case
                when found.poverty_status = 'not_lifted' and found.is_margin
                    then least(not_lifted.since, found.income_since)
                when found.is_margin then found.income_since
                else not_lifted.since
            end
        ) as fact_on,
        {{ evidence(
            compared=[
                compared(
                    'afflicted_by',
                    "case when disabled.person_id is null then 'major_illness' when ill.person_id is null"
                    ~ " then 'severe_disability' else 'severe_disability_and_major_illness' end",
                    'in',
                    expected="array['severe_disability', 'major_illness', 'severe_disability_and_major_illness']",
                ),
                compared(
                    'household_as', "case when found.is_margin then 'margin' else 'not_lifted' end", 'in',
                    expected="array['margin', 'not_lifted']",
                ),
                compared('covered', 'false', '=', expected='false'),
            ],
            compared_of=[
                where_true(
                    'ill.person_id is not null',
                    'jsonb_build_array(' ~ compared('settled_on', 'ill.settled_on', 'within', limit='look_back') ~ ')',
                ),
                where_true('found.is_margin', 'margin_reason.compared'),
            ],
            facts_of=[
                where_true('disabled.person_id is not null', severe_disability_facts('disabled')),
                where_true(
                    'ill.person_id is not null',
                    'jsonb_build_array('
                    ~ fact('medical_assistance', 'major_illness', 'ill', 'ill.settled_on') ~ ', '
                    ~ fact('medical_assistance', 'settled_on', 'ill', 'ill.settled_on') ~ ')',
                ),
                where_true('found.is_margin', 'margin_reason.facts'),
                where_true(
                    'not found.is_margin',
                    'jsonb_build_array('
                    ~ fact('poverty_register', 'status', 'found', 'found._valid_from', 'found.poverty_status') ~ ')',
                ),
            ],
        ) }} as evidence
    from found
    inner join look_back
        on found.standard_area = look_back.standard_area
    left join disabled
        on {{ same_county('found', 'disabled') }} found.person_id = disabled.person_id
    left join ill
        on {{ same_county('found', 'ill') }} found.person_id = ill.person_id
    left join margin_reason
        on {{ same_county('found', 'margin_reason') }} found.household_id = margin_reason.household_id
    left join not_lifted
        on found._county_code = not_lifted._county_code
        and found.household_no = not_lifted.household_no
        and found.citizen_id = not_lifted.citizen_id
)

select * from final
