-- What is given to whom on the date: benefits in force, and the grants of the look-back months. One row per person and
-- record. A certificate's amount is the whole household's and stands with one of its rows only, the head's if it is
-- among them; the register of the disabled says who has a subsidy, not how much.
{{ config(indexes=[{'columns': ['household_id']}, {'columns': ['person_id']}]) }}

with

minimum_allowance as (
    select *
    from {{ ref('stg_minimum_allowance') }}
),

special_hardship as (
    select *
    from {{ ref('stg_special_hardship') }}
),

disability as (
    select *
    from {{ ref('stg_disability') }}
),

child_protection as (
    select *
    from {{ ref('stg_child_protection') }}
),

temporary_grant as (
    select *
    from {{ ref('int_temporary_grant') }}
),

member as (
    select *
    from {{ ref('int_household_member') }}
),

given as (
    select
        'minimum_allowance' as benefit,
        citizen_id,
        case
            when
                row_number() over (
                    partition by _county_code, certificate_no
                    order by citizen_id = head_citizen_id desc, citizen_id, _load_id, _row_no
                ) = 1
                then monthly_amount
        end as amount_monthly,
        start_date as starts_on,
        end_date as ends_on,
        _valid_from,
        _load_id,
        _row_no
    from minimum_allowance
    where {{ in_force('start_date', 'end_date') }}
    union all
    select
        'special_hardship' as benefit,
        citizen_id,
        monthly_amount as amount_monthly,
        start_date as starts_on,
        end_date as ends_on,
        _valid_from,
        _load_id,
        _row_no
    from special_hardship
    where {{ in_force('start_date', 'end_date') }}
    union all
    select
        'child_protection' as benefit,
        citizen_id,
        monthly_amount as amount_monthly,
        start_date as starts_on,
        end_date as ends_on,
        _valid_from,
        _load_id,
        _row_no
    from child_protection
    where {{ in_force('start_date', 'end_date') }}
    union all
    select
        'living_subsidy' as benefit,
        citizen_id,
        null as amount_monthly,
        null as starts_on,
        null as ends_on,
        _valid_from,
        _load_id,
        _row_no
    from disability
    where living_subsidy
    union all
    select
        'care_subsidy' as benefit,
        citizen_id,
        null as amount_monthly,
        null as starts_on,
        null as ends_on,
        _valid_from,
        _load_id,
        _row_no
    from disability
    where care_subsidy
),

final as (
    select
        member.person_id,
        member.household_id,
        member.county_code,
        given.benefit,
        given.amount_monthly,
        null::numeric as amount_once,
        given.starts_on,
        given.ends_on,
        given._valid_from,
        given._load_id,
        given._row_no
    from given
    inner join member
        on given.citizen_id = member.citizen_id
    union all
    select
        person_id,
        household_id,
        county_code,
        'temporary_assistance' as benefit,
        null as amount_monthly,
        amount as amount_once,
        granted_on as starts_on,
        granted_on as ends_on,
        _valid_from,
        _load_id,
        _row_no
    from temporary_grant
)

select * from final
