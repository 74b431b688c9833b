-- Who belongs together: by the poverty register, else by the allowance certificate, else nobody with anybody. An
-- economic check would come before that, but it names nobody besides the applicant, who is alone then.
{{ config(indexes=[
    {'columns': ['person_id'], 'unique': true},
    {'columns': ['citizen_id']},
    {'columns': ['household_id']},
]) }}

with

person as (
    select *
    from {{ ref('int_person') }}
),

poverty_register as (
    select *
    from {{ ref('stg_poverty_register') }}
),

minimum_allowance as (
    select *
    from {{ ref('stg_minimum_allowance') }}
),

standard_area as (
    select *
    from {{ ref('int_standard_area') }}
),

poverty_record as (
    select distinct on (citizen_id) *
    from poverty_register
    order by
        citizen_id,
        _valid_from desc,
        _county_code,
        household_no,
        _load_id,
        _row_no
),

allowance_record as (
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

-- One join of everybody with each register. Parts for those who stand in one and not in the other would be joined by
-- what is expected of a `distinct on`, a few hundred rows, one by one.
assigned as (
    select
        person.person_id,
        person.citizen_id,
        person.birth_on,
        person.division_code,
        case
            when poverty_record.citizen_id is not null then 'poverty_register'
            when allowance_record.citizen_id is not null then 'minimum_allowance'
        end as register,
        coalesce(poverty_record.household_no, allowance_record.certificate_no) as register_no,
        case
            when poverty_record.citizen_id is not null
                then
                    {{ household_key(
                        'poverty_register', 'poverty_record._county_code', 'poverty_record.household_no'
                    ) }}
            when allowance_record.citizen_id is not null
                then
                    {{ household_key(
                        'minimum_allowance', 'allowance_record._county_code', 'allowance_record.certificate_no'
                    ) }}
            else {{ household_key_alone('person.citizen_id') }}
        end as household_key,
        case
            when poverty_record.citizen_id is not null then poverty_record.relation_to_head
            when allowance_record.citizen_id is not null then allowance_record.relation_to_head
            else 'self'
        end as relation_to_head,
        allowance_record.head_citizen_id as named_head,
        poverty_record.status as poverty_status,
        coalesce(poverty_record._county_code, allowance_record._county_code) as _county_code,
        coalesce(poverty_record._valid_from, allowance_record._valid_from) as _valid_from,
        coalesce(poverty_record._load_id, allowance_record._load_id) as _load_id,
        coalesce(poverty_record._row_no, allowance_record._row_no) as _row_no
    from person
    left join poverty_record
        on person.citizen_id = poverty_record.citizen_id
    left join allowance_record
        on person.citizen_id = allowance_record.citizen_id
        and poverty_record.citizen_id is null
),

-- An identifier is made once for a household, not for each member.
household as materialized (
    select
        household_key,
        {{ identifier_of('household_key') }} as household_id
    from (select distinct household_key from assigned) as households
),

-- A certificate names its head in every row; the head may be no member of it, or may live in another household.
-- (The linter does not see that the window below orders by it.)
named as (
    select distinct
        household_key,
        named_head
    from assigned
    where named_head is not null
),

ranked as (
    select
        assigned.*,
        household.household_id,
        row_number() over head_first = 1 as is_head,
        first_value(assigned.division_code) over head_first as household_division_code,
        count(*) over (partition by household.household_id) as members
    from assigned
    inner join household
        on assigned.household_key = household.household_key
    left join named -- noqa: ST11
        on assigned.household_key = named.household_key
        and assigned.citizen_id = named.named_head
    window head_first as (
        partition by household.household_id
        order by
            (assigned.register = 'poverty_register' and assigned.relation_to_head = 'self') is true
            or named.named_head is not null desc,
            assigned.birth_on,
            assigned.citizen_id
    )
),

final as (
    select
        ranked.household_id,
        ranked.person_id,
        left(ranked.household_division_code, 6) as county_code,
        ranked.household_division_code as division_code,
        standard_area.standard_area,
        ranked.citizen_id,
        ranked.birth_on,
        ranked.is_head,
        ranked.relation_to_head,
        ranked.members,
        ranked.register,
        ranked.register_no,
        ranked.poverty_status,
        ranked._county_code,
        ranked._valid_from,
        ranked._load_id,
        ranked._row_no
    from ranked
    inner join standard_area
        on ranked.household_division_code = standard_area.division_code
)

select * from final
