-- A night computes only whom it touches (docs/incremental.md): before dbt runs, doudi.transform.touched lists them in
-- intermediate.touched, and DOUDI_DBT_TOUCHED says that the list counts. Then the registers seem to name nobody else:
-- staging, intermediate and indicator models give what they would give for these people, and the tables that are kept
-- from night to night change in these people's rows only. The variable is read when a query is sent, as the date is.
{% macro of_touched() -%}
    {{ return(execute and env_var('DOUDI_DBT_TOUCHED', '') == 'yes') }}
{%- endmacro %}


-- A condition on rows that are about a person or a household; true for all where everybody is computed.
{% macro is_touched(column, of='person_id') -%}
    {%- if of_touched() -%}
    {{ column }} in (
        select touched.{{ of }}
        from intermediate.touched
        where touched.{{ of }} is not null
    )
    {%- else -%}
    true
    {%- endif -%}
{%- endmacro %}


-- Identifiers of those touched of whom the build before knew nothing.
{% macro identify_touched() -%}
    {%- if of_touched() %}
    update intermediate.touched
    set person_id = {{ person_id('citizen_id') }}
    where person_id is null
    {%- endif %}
{%- endmacro %}


-- After everybody was computed no view looks into these tables any more, and a register may have other columns next time.
{% macro drop_touched() -%}
    {%- if execute and not of_touched() %}
    {% for person in var('people') if person.is_own %}
    drop table if exists {{ touched_of(person.feed) }} cascade;
    {% endfor %}
    {%- endif %}
{%- endmacro %}


-- The table with what the register of a feed holds about those whom the night touches (doudi.transform.touched).
{% macro touched_of(feed) -%}
    intermediate.touched_{{ feed }}
{%- endmacro %}
