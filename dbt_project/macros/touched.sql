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


-- Who those whom the night touches are, and in which households they stand as the build before left them.
{% macro place_touched() -%}
    {%- if of_touched() %}
    update intermediate.touched
    set person_id = {{ person_id('citizen_id') }};

    update intermediate.touched
    set household_id = member.household_id
    from identity.household_member as member
    where touched.person_id = member.person_id;

    analyze intermediate.touched;
    {%- endif %}
{%- endmacro %}
