-- In which order a worker goes to the households of an area: the most urgent first, then those with most warnings. It is
-- the one thing that changes for a household whom the night does not touch, as others come and go beside it.

-- A household's place, which follows from all others': in a night that computes whom it touches it stays what it was,
-- 0 of a new one, until the rows are in the table, and that is put in order.
{% macro order_so_far(column, in_order, kept) -%}
    {%- if of_touched() -%}
    coalesce({{ kept }}.{{ column }}, 0)
    {%- else -%}
    {{ in_order }}.{{ column }}
    {%- endif -%}
{%- endmacro %}


-- Of warnings with household_id, division_code and level_rank: a household's place among those of the same area.
{% macro household_order(listed) -%}
    select
        household_id,
        division_code,
        row_number() over (
            partition by division_code
            order by min(level_rank), count(*) desc, household_id
        ) as household_order,
        count(*) as household_warnings
    from {{ listed }}
    group by
        household_id,
        division_code
{%- endmacro %}


{% macro households_in_order() -%}
    {%- if of_touched() %}
    update {{ this }} as listed
    set household_order = in_order.household_order
    from (
        {{ household_order(this) }}
    ) as in_order
    where
        listed.household_id = in_order.household_id
        and listed.division_code = in_order.division_code
        and listed.household_order <> in_order.household_order
    {%- endif %}
{%- endmacro %}


-- The households of a visit list. Where a warning was opened before the household moved, the most urgent, newest one says
-- where it lives: `home_warning_id`.
{% macro visited_homes(listed) -%}
    select
        household_id,
        (array_agg(warning_id order by level_rank, opened_on desc, warning_id))[1] as home_warning_id,
        (array_agg(division_code order by level_rank, opened_on desc, warning_id))[1] as division_code,
        min(level_rank) as level_rank,
        count(*) as signals
    from {{ listed }}
    group by household_id
{%- endmacro %}


-- Of these, a household's place among those of the area in which it lives.
{% macro visit_order(households) -%}
    select
        household_id,
        row_number() over (partition by division_code order by level_rank, signals desc, household_id) as visit_order
    from {{ households }}
{%- endmacro %}


{% macro visits_in_order() -%}
    {%- if of_touched() %}
    {%- set households -%}
    (
        select
            listed.household_id,
            listed.division_code,
            level.rank as level_rank,
            listed.signals
        from {{ this }} as listed
        inner join {{ ref('level') }} as level
            on listed.level = level.level
    ) as households
    {%- endset %}
    update {{ this }} as listed
    set visit_order = in_order.visit_order
    from (
        {{ visit_order(households) }}
    ) as in_order
    where
        listed.household_id = in_order.household_id
        and listed.visit_order <> in_order.visit_order
    {%- endif %}
{%- endmacro %}
