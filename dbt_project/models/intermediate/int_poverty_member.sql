-- The poverty register's rows that put somebody into a register household: one per member.
{{ config(indexes=[{'columns': ['person_id'], 'unique': true}, {'columns': ['household_id']}]) }}

with

poverty_register as (
    select *
    from {{ ref('stg_poverty_register') }}
),

member as (
    select *
    from {{ ref('int_household_member') }}
    where register = 'poverty_register'
),

final as (
    select
        member.person_id,
        member.household_id,
        member.county_code,
        member.division_code,
        member.standard_area,
        member.birth_on,
        member.is_head,
        poverty_register.division_code as own_division_code,
        poverty_register.household_no,
        poverty_register.citizen_id,
        poverty_register.status,
        poverty_register.annual_income_per_capita,
        poverty_register.labour,
        poverty_register._county_code,
        poverty_register._valid_from,
        poverty_register._load_id,
        poverty_register._row_no
    from poverty_register
    inner join member
        on poverty_register.citizen_id = member.citizen_id
        and poverty_register._county_code = member._county_code
        and poverty_register.household_no = member.register_no
)

select * from final
