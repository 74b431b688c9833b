-- Whom to visit: the standing warnings with who and where, a household's together. Extracts are cut from this. What is
-- listed of somebody whom the night does not touch stays, but for the household's place among the others.
{{ config(
    incremental_strategy='mirror',
    unique_key='warning_id',
    meta={'touched_by': {'column': 'person_id', 'of': 'person_id'}},
    indexes=[{'columns': ['division_code text_pattern_ops']}],
    post_hook=[
        "{{ leave_room() }}",
        "{{ households_in_order() }}",
        "{{ index_kept('lead_department', '(lead_department)') }}",
    ],
) }}

with

warning as (
    select *
    from {{ ref('warning') }}
    where
        closed_on is null
        and status <> 'resolved'
        and {{ is_touched('person_id') }}
),

person as (
    select *
    from {{ ref('person') }}
),

head as (
    select *
    from {{ ref('person') }}
),

household as (
    select
        household_id,
        person_id as head_person_id,
        members::integer as household_members
    from {{ ref('int_household_member') }}
    where is_head
),

indicator as (
    select *
    from {{ ref('indicator') }}
),

level as (
    select *
    from {{ ref('level') }}
),

department as (
    select *
    from {{ ref('department') }}
),

division as (
    {{ divisions() }}
),

ranked as (
    select
        warning.household_id,
        warning.division_code,
        level.rank as level_rank
    from warning
    inner join level
        on warning.level = level.level
),

in_order as (
    {{ household_order('ranked') }}
),

reason as materialized (
    select
        warning.warning_id,
        {{ sentence('indicator.reason_zh', 'warning.evidence') }} as sentence
    from warning
    inner join indicator
        on warning.indicator_code = indicator.code
),

final as (
    select
        warning.warning_id,
        warning.county_code,
        warning.division_code,
        county.name as county_name,
        township.name as township_name,
        village.name as village_name,
        {{ order_so_far('household_order', in_order='in_order', kept='kept') }} as household_order,
        in_order.household_warnings::integer as household_warnings,
        warning.household_id,
        household.household_members,
        household.head_person_id as household_head_person_id,
        head.name as household_head_name,
        head.citizen_id as household_head_citizen_id,
        warning.person_id,
        person.name,
        person.citizen_id,
        warning.indicator_code,
        indicator.name_zh as indicator_name,
        warning.level,
        level.rank as level_rank,
        level.name_zh as level_name,
        warning.lead_department,
        department.name_zh as lead_department_name,
        warning.status,
        warning.is_overdue,
        warning.opened_on,
        warning.due_on,
        warning.visited_on,
        warning.referred_to,
        reason.sentence as reason
    from warning
    inner join in_order
        on warning.household_id = in_order.household_id
        and warning.division_code = in_order.division_code
    inner join reason
        on warning.warning_id = reason.warning_id
    inner join person
        on warning.person_id = person.person_id
    inner join household
        on warning.household_id = household.household_id
    inner join head
        on household.head_person_id = head.person_id
    inner join indicator
        on warning.indicator_code = indicator.code
    inner join level
        on warning.level = level.level
    inner join department
        on warning.lead_department = department.department
    {% if of_touched() %}
    left join {{ this }} as kept
        on warning.warning_id = kept.warning_id
    {% endif %}
    left join division as county
        on warning.county_code = county.code
    left join division as township
        on left(warning.division_code, 9) = township.code
    left join division as village
        on warning.division_code = village.code
)

select * from final
