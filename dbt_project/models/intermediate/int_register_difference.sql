-- Where civil affairs' registers and the poverty register contradict each other on the date, one row per kind and
-- person. What each says stands beside the other (`register_value`, `civil_value`); `facts` lead to the rows.
with

member as (
    select *
    from {{ ref('int_household_member') }}
),

household as (
    select *
    from {{ ref('int_household__situation') }}
),

registered as (
    select *
    from {{ ref('int_poverty_member') }}
),

minimum_allowance as (
    select *
    from {{ ref('stg_minimum_allowance') }}
    where {{ in_force('start_date', 'end_date') }}
),

special_hardship as (
    select *
    from {{ ref('stg_special_hardship') }}
    where {{ in_force('start_date', 'end_date') }}
),

temporary_grant as (
    select *
    from {{ ref('int_temporary_grant') }}
),

local_standard as (
    select *
    from {{ ref('int_local_standard') }}
),

tolerance as (
    {{ local_standard('register_income_tolerance') }}
),

margin as (
    {{ local_standard('low_margin_multiple') }}
),

-- One row of each register for a person: the latest.
allowance as (
    select distinct on (citizen_id) *
    from minimum_allowance
    order by
        citizen_id,
        _valid_from desc,
        certificate_no,
        _county_code,
        _load_id,
        _row_no
),

hardship as (
    select distinct on (citizen_id) *
    from special_hardship
    order by
        citizen_id,
        _valid_from desc,
        certificate_no,
        _county_code,
        _load_id,
        _row_no
),

benefit as (
    select
        'minimum_allowance' as civil_benefit,
        1 as benefit_rank,
        citizen_id,
        certificate_no,
        area_type,
        division_code,
        monthly_income_per_capita,
        _county_code,
        _valid_from,
        _load_id,
        _row_no
    from allowance
    union all
    select
        'special_hardship' as civil_benefit,
        2 as benefit_rank,
        citizen_id,
        certificate_no,
        area_type,
        division_code,
        null as monthly_income_per_capita,
        _county_code,
        _valid_from,
        _load_id,
        _row_no
    from hardship
),

first_benefit as (
    select distinct on (citizen_id) *
    from benefit
    order by
        citizen_id,
        benefit_rank
),

latest_grant as (
    select distinct on (person_id) *
    from temporary_grant
    order by
        person_id,
        granted_on desc,
        grant_no,
        _county_code,
        _load_id,
        _row_no
),

-- A certificate of one person out of a household (单人户) is meant to leave the others out.
certificate as (
    select
        _county_code,
        certificate_no,
        count(distinct citizen_id) as people
    from minimum_allowance
    where not single_person_household
    group by
        _county_code,
        certificate_no
),

together as (
    select
        minimum_allowance._county_code,
        minimum_allowance.certificate_no,
        registered.household_id,
        count(distinct minimum_allowance.citizen_id) as people
    from minimum_allowance
    inner join registered
        on minimum_allowance.citizen_id = registered.citizen_id
    group by
        minimum_allowance._county_code,
        minimum_allowance.certificate_no,
        registered.household_id
),

at_risk_not_covered as (
    select
        'at_risk_not_covered' as kind,
        registered.person_id,
        case when latest_grant.person_id is not null then 'temporary_assistance' end as civil_benefit,
        household.poverty_status as register_value,
        latest_grant.granted_on::text as civil_value,
        null as unit,
        jsonb_build_array({{ fact('poverty_register', 'status', 'registered', 'registered._valid_from') }})
        || case
            when latest_grant.person_id is not null
                then jsonb_build_array(
                    {{ fact('temporary_assistance', 'granted_on', 'latest_grant', 'latest_grant.granted_on') }}
                )
            else '[]'
        end as facts
    from registered
    inner join household
        on registered.household_id = household.household_id
    left join first_benefit
        on registered.citizen_id = first_benefit.citizen_id
    left join latest_grant
        on registered.person_id = latest_grant.person_id
    where
        household.is_at_risk
        and first_benefit.citizen_id is null
),

covered_not_registered as (
    select
        'covered_not_registered' as kind,
        member.person_id,
        first_benefit.civil_benefit,
        null as register_value,
        first_benefit.civil_benefit as civil_value,
        null as unit,
        jsonb_build_array(
            {{ fact_of(
                'first_benefit.civil_benefit', "'area_type'", 'first_benefit.area_type', 'first_benefit',
                'first_benefit._valid_from',
            ) }}
        ) as facts
    from first_benefit
    inner join member
        on first_benefit.citizen_id = member.citizen_id
    left join registered
        on first_benefit.citizen_id = registered.citizen_id
    where
        first_benefit.area_type = 'rural'
        and registered.citizen_id is null
),

assisted_not_registered as (
    select
        'assisted_not_registered' as kind,
        latest_grant.person_id,
        'temporary_assistance' as civil_benefit,
        null as register_value,
        latest_grant.granted_on::text as civil_value,
        null as unit,
        jsonb_build_array(
            {{ fact('temporary_assistance', 'granted_on', 'latest_grant', 'latest_grant.granted_on') }}
        ) as facts
    from latest_grant
    inner join household
        on latest_grant.household_id = household.household_id
    inner join member
        on latest_grant.person_id = member.person_id
    left join registered
        on member.citizen_id = registered.citizen_id
    left join first_benefit
        on member.citizen_id = first_benefit.citizen_id
    where
        household.area_type = 'rural'
        and registered.citizen_id is null
        and first_benefit.citizen_id is null
),

household_differs as (
    select
        'household_differs' as kind,
        registered.person_id,
        'minimum_allowance' as civil_benefit,
        household.members::text as register_value,
        certificate.people::text as civil_value,
        'people in the household' as unit,
        jsonb_build_array(
            {{ fact('poverty_register', 'household_no', 'registered', 'registered._valid_from') }},
            {{ fact('minimum_allowance', 'certificate_no', 'allowance', 'allowance._valid_from') }}
        ) as facts
    from registered
    inner join allowance
        on registered.citizen_id = allowance.citizen_id
    inner join certificate
        on allowance._county_code = certificate._county_code
        and allowance.certificate_no = certificate.certificate_no
    inner join household
        on registered.household_id = household.household_id
    inner join together
        on registered.household_id = together.household_id
        and allowance._county_code = together._county_code
        and allowance.certificate_no = together.certificate_no
    where
        not allowance.single_person_household
        and (certificate.people > together.people or household.members > together.people)
),

income_differs as (
    select
        'income_differs' as kind,
        registered.person_id,
        'minimum_allowance' as civil_benefit,
        round(registered.annual_income_per_capita / 12, 2)::text as register_value,
        allowance.monthly_income_per_capita::text as civil_value,
        'yuan per person and month' as unit,
        jsonb_build_array(
            {{ fact('poverty_register', 'annual_income_per_capita', 'registered', 'registered._valid_from') }},
            {{ fact('minimum_allowance', 'monthly_income_per_capita', 'allowance', 'allowance._valid_from') }}
        ) as facts
    from registered
    inner join allowance
        on registered.citizen_id = allowance.citizen_id
    inner join tolerance
        on registered.standard_area = tolerance.standard_area
    where
        abs(registered.annual_income_per_capita / 12 - allowance.monthly_income_per_capita)
        > tolerance.value * greatest(registered.annual_income_per_capita / 12, allowance.monthly_income_per_capita)
),

area_differs as (
    select
        'area_differs' as kind,
        registered.person_id,
        first_benefit.civil_benefit,
        left(registered.own_division_code, 6) as register_value,
        left(first_benefit.division_code, 6) as civil_value,
        'county' as unit,
        jsonb_build_array(
            {{ fact(
                'poverty_register', 'division_code', 'registered', 'registered._valid_from',
                'registered.own_division_code',
            ) }},
            {{ fact_of(
                'first_benefit.civil_benefit', "'division_code'", 'first_benefit.division_code', 'first_benefit',
                'first_benefit._valid_from',
            ) }}
        ) as facts
    from registered
    inner join first_benefit
        on registered.citizen_id = first_benefit.citizen_id
    where left(registered.own_division_code, 6) <> left(first_benefit.division_code, 6)
),

-- Only rural households are in the poverty register.
area_type_differs as (
    select
        'area_type_differs' as kind,
        registered.person_id,
        first_benefit.civil_benefit,
        'rural' as register_value,
        first_benefit.area_type as civil_value,
        null as unit,
        jsonb_build_array(
            {{ fact('poverty_register', 'household_no', 'registered', 'registered._valid_from') }},
            {{ fact_of(
                'first_benefit.civil_benefit', "'area_type'", 'first_benefit.area_type', 'first_benefit',
                'first_benefit._valid_from',
            ) }}
        ) as facts
    from registered
    inner join first_benefit
        on registered.citizen_id = first_benefit.citizen_id
    where first_benefit.area_type <> 'rural'
),

status_contradicts as (
    select
        case
            when registered.status = 'lifted' then 'lifted_below_standard'
            else 'at_risk_above_margin'
        end as kind,
        registered.person_id,
        'minimum_allowance' as civil_benefit,
        registered.status as register_value,
        allowance.monthly_income_per_capita::text as civil_value,
        'yuan per person and month' as unit,
        jsonb_build_array(
            {{ fact('poverty_register', 'status', 'registered', 'registered._valid_from') }},
            {{ fact('minimum_allowance', 'monthly_income_per_capita', 'allowance', 'allowance._valid_from') }}
        ) as facts
    from registered
    inner join allowance
        on registered.citizen_id = allowance.citizen_id
    inner join local_standard as standard
        on registered.standard_area = standard.standard_area
        and standard.name = 'minimum_allowance_monthly.' || allowance.area_type
    inner join margin
        on registered.standard_area = margin.standard_area
    where
        (registered.status = 'lifted' and allowance.monthly_income_per_capita < standard.value)
        or (
            registered.status = any({{ at_risk_statuses() }})
            and allowance.monthly_income_per_capita >= margin.value * standard.value
        )
),

hardship_can_work as (
    select
        'special_hardship_can_work' as kind,
        registered.person_id,
        'special_hardship' as civil_benefit,
        registered.labour as register_value,
        hardship.self_care as civil_value,
        null as unit,
        jsonb_build_array(
            {{ fact('poverty_register', 'labour', 'registered', 'registered._valid_from') }},
            {{ fact('special_hardship', 'self_care', 'hardship', 'hardship._valid_from') }}
        ) as facts
    from registered
    inner join hardship
        on registered.citizen_id = hardship.citizen_id
    where registered.labour = any({{ able_to_work() }})
),

difference as (
    select * from at_risk_not_covered
    union all
    select * from covered_not_registered
    union all
    select * from assisted_not_registered
    union all
    select * from household_differs
    union all
    select * from income_differs
    union all
    select * from area_differs
    union all
    select * from area_type_differs
    union all
    select * from status_contradicts
    union all
    select * from hardship_can_work
),

final as (
    select
        difference.kind,
        difference.person_id,
        member.household_id,
        member.county_code,
        member.division_code,
        household.poverty_status,
        difference.civil_benefit,
        difference.register_value,
        difference.civil_value,
        difference.unit,
        difference.facts
    from difference
    inner join member
        on difference.person_id = member.person_id
    inner join household
        on member.household_id = household.household_id
)

select * from final
