with

head as (
    select *
    from {{ ref('int_poverty_member') }}
    where is_head
),

-- Read more than once, and each time a small part of it: not to be copied first.
versions as not materialized (
    select *
    from {{ ref('stg_poverty_register__versions') }}
),

fall as (
    {{ local_standard('income_fall_share') }}
),

look_back as (
    {{ local_standard('look_back_months') }}
),

-- The household as its number then: its head may be another person now, and may have been in no list then.
earlier as (
    select distinct on (head.household_id)
        head.household_id,
        versions.annual_income_per_capita,
        versions._valid_from,
        versions._load_id,
        versions._row_no
    from head
    inner join look_back
        on head.standard_area = look_back.standard_area
    inner join versions
        on head._county_code = versions._county_code
        and head.household_no = versions.household_no
        and {{ as_of() }} - make_interval(months => look_back.value::integer) >= versions._valid_from
        and {{ as_of() }} - make_interval(months => look_back.value::integer) < versions._valid_to
    order by
        head.household_id,
        versions.relation_to_head = 'self' desc,
        {{ birth_on('versions.citizen_id') }},
        versions.citizen_id,
        versions._load_id,
        versions._row_no
),

found as (
    select
        head.*,
        earlier.annual_income_per_capita as earlier_income,
        fall.value * earlier.annual_income_per_capita as fallen_income
    from head
    inner join earlier
        on head.household_id = earlier.household_id
    inner join fall
        on head.standard_area = fall.standard_area
    where
        earlier.annual_income_per_capita > 0
        and head.annual_income_per_capita <= fall.value * earlier.annual_income_per_capita
),

income as (
    select
        versions._county_code,
        versions.household_no,
        versions.citizen_id,
        versions._valid_from,
        versions._valid_to,
        versions.annual_income_per_capita <= found.fallen_income as is_fallen
    from versions
    inner join found
        on versions._county_code = found._county_code
        and versions.household_no = found.household_no
        and versions.citizen_id = found.citizen_id
),

fallen as (
    {{ since('income', records='found', key=['_county_code', 'household_no', 'citizen_id'], state='is_fallen') }}
),

final as (
    select
        'RP02' as indicator_code,
        'H' as scope,
        found.person_id,
        found.household_id,
        found.division_code,
        fallen.since as fact_on,
        {{ evidence(
            compared=[
                compared(
                    'annual_income_per_capita', 'found.annual_income_per_capita', '<=',
                    expected='trim_scale(found.fallen_income)', unit='yuan per person and year',
                ),
                compared(
                    'income_share', 'round(found.annual_income_per_capita / found.earlier_income, 4)', '<=',
                    limit='fall', unit='of the earlier income',
                ),
                compared('months_between', 'look_back.value', '=', limit='look_back', unit='months'),
            ],
            facts=[
                fact('poverty_register', 'annual_income_per_capita', 'found', 'found._valid_from'),
                fact('poverty_register', 'annual_income_per_capita', 'earlier', 'earlier._valid_from'),
            ],
        ) }} as evidence
    from found
    inner join earlier
        on found.household_id = earlier.household_id
    inner join fallen
        on found._county_code = fallen._county_code
        and found.household_no = fallen.household_no
        and found.citizen_id = fallen.citizen_id
    inner join fall
        on found.standard_area = fall.standard_area
    inner join look_back
        on found.standard_area = look_back.standard_area
)

select * from final
