-- The differences between registers as the comparison before left them, in the way of previous_warnings: a build of a
-- past date starts from those of the present, the very first from none.
{% macro previous_differences() %}
    {% if is_incremental() %}
    select *
    from {{ this }}
    {% elif var('history_schema') %}
    select *
    from {{ source('history', 'register_comparison') }}
    {% else %}
    select
        kind,
        person_id,
        household_id,
        county_code,
        division_code,
        poverty_status,
        civil_benefit,
        register_value,
        civil_value,
        unit,
        null::date as first_seen_on,
        null::date as last_seen_on,
        null::date as closed_on,
        facts
    from {{ ref('int_register_difference') }}
    where false
    {% endif %}
{% endmacro %}


-- Differences about nobody whom the night touches go on.
{% macro differences_still_standing() %}
    {% if of_touched() %}
    update {{ this }}
    set
        as_of = {{ as_of() }},
        state = 'still',
        last_seen_on = {{ as_of() }}
    where
        closed_on is null
        and last_seen_on < {{ as_of() }}
    {% endif %}
{% endmacro %}
