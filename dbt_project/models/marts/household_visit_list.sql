-- Whom a township visits: one row per household with all that is asked of it, since it is one way there, not one way
-- per warning. The lists of a row are arrays in the same order: warnings with reasons, people with numbers and ages.
-- The row of a household that the night does not touch stays, but for its place among the others.
-- depends_on: {{ ref('level') }}
{{ config(
    incremental_strategy='mirror',
    unique_key='household_id',
    meta={'touched_by': {'column': 'household_id', 'of': 'household_id'}},
    indexes=[{'columns': ['division_code text_pattern_ops']}],
    post_hook=[
        "{{ leave_room() }}",
        "{{ visits_in_order() }}",
        "{{ index_kept('township', '(township_code)') }}",
    ],
) }}

with

listed as (
    select *
    from {{ ref('visit_list') }}
    where {{ is_touched('person_id') }}
),

homes as (
    {{ visited_homes('listed') }}
),

in_order as (
    {{ visit_order('homes') }}
),

person as (
    select *
    from {{ ref('person') }}
    where {{ is_touched('person_id') }}
),

warnings as (
    select
        household_id,
        array_agg(warning_id order by level_rank, due_on, warning_id) as warning_ids,
        array_agg(indicator_name || '：' || reason order by level_rank, due_on, warning_id) as reasons,
        array_agg(distinct lead_department) as lead_departments,
        array_agg(distinct lead_department_name) as lead_department_names,
        count(*)::integer as signals,
        count(*) filter (where status = 'open')::integer as open_signals,
        min(opened_on) as opened_on,
        min(due_on) as due_on,
        bool_or(is_overdue) as is_overdue,
        max(visited_on) as visited_on
    from listed
    group by household_id
),

concerned as (
    select
        listed.household_id,
        listed.person_id,
        coalesce(person.name, '') as name,
        person.citizen_id,
        {{ age_on('person.birth_on') }} as age,
        row_number() over (order by min(listed.level_rank), person.birth_on, listed.person_id) as place
    from listed
    inner join person
        on listed.person_id = person.person_id
    group by
        listed.household_id,
        listed.person_id,
        person.name,
        person.citizen_id,
        person.birth_on
),

people as (
    select
        household_id,
        array_agg(person_id order by place) as person_ids,
        array_agg(name order by place) as person_names,
        array_agg(citizen_id order by place) as person_citizen_ids,
        array_agg(age order by place) as person_ages
    from concerned
    group by household_id
),

home as (
    select
        listed.*,
        in_order.visit_order
    from homes
    inner join in_order
        on homes.household_id = in_order.household_id
    inner join listed
        on homes.home_warning_id = listed.warning_id
),

final as (
    select
        home.household_id,
        home.county_code,
        home.division_code,
        left(home.division_code, 9) as township_code,
        home.county_name,
        home.township_name,
        home.village_name,
        {{ order_so_far('visit_order', in_order='home', kept='kept') }}::integer as visit_order,
        home.household_members,
        home.household_head_person_id,
        home.household_head_name,
        people.person_ids,
        people.person_names,
        people.person_citizen_ids,
        people.person_ages,
        home.level,
        home.level_name,
        warnings.signals,
        warnings.open_signals,
        warnings.warning_ids,
        warnings.reasons,
        warnings.lead_departments,
        warnings.lead_department_names,
        warnings.opened_on,
        warnings.due_on,
        warnings.is_overdue,
        warnings.visited_on
    from home
    inner join warnings
        on home.household_id = warnings.household_id
    inner join people
        on home.household_id = people.household_id
    {% if of_touched() %}
    left join {{ this }} as kept
        on home.household_id = kept.household_id
    {% endif %}
)

select * from final
