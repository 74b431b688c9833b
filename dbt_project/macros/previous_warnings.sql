-- The warnings as the run before left them. A build of a past date starts from those of the present; the very first
-- build starts from none, in the shape that the signals give.
{% macro previous_warnings() %}
    {% if is_incremental() %}
    select *
    from {{ this }}
    {% elif var('history_schema') %}
    select *
    from {{ source('history', 'warning') }}
    {% else %}
    select
        null::text as warning_id,
        indicator_code,
        scope,
        subject_id,
        person_id,
        household_id,
        county_code,
        division_code,
        level,
        lead_department,
        null::date as opened_on,
        null::date as last_seen_on,
        null::date as closed_on,
        null::text as status,
        null::date as due_on,
        null::date as muted_until,
        fact_on,
        evidence
    from {{ ref('int_signal') }}
    where false
    {% endif %}
{% endmacro %}


-- Warnings about nobody whom the night touches go on: they were seen again, and their day may have passed.
{% macro warnings_still_standing() %}
    {% if of_touched() %}
    update {{ this }}
    set
        last_seen_on = {{ as_of() }},
        is_overdue = status in ('open', 'visited') and due_on < {{ as_of() }}
    where
        closed_on is null
        and last_seen_on < {{ as_of() }}
    {% endif %}
{% endmacro %}
