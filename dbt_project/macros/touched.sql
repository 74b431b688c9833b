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
    -- dbt's own connection forgets the role when it rolls back what it has read.
    set role {{ target.role }};

    update intermediate.touched
    set
        person_id = found.person_id,
        household_id = member.household_id
    from (
        select
            citizen_id,
            {{ person_id('citizen_id') }} as person_id
        from intermediate.touched
    ) as found
    left join identity.household_member as member
        on found.person_id = member.person_id
    where touched.citizen_id = found.citizen_id;

    analyze intermediate.touched
    {%- endif %}
{%- endmacro %}


-- After everybody was computed no view looks into these tables any more, and a register may have other columns next time.
{% macro drop_touched() -%}
    {%- if execute and not of_touched() %}
    set role {{ target.role }};

    {% for person in var('people') if person.is_own %}
    drop table if exists {{ touched_of(person.feed) }} cascade;
    {% endfor %}
    {%- endif %}
{%- endmacro %}


-- The table with what the register of a feed holds about those whom the night touches (doudi.transform.touched).
{% macro touched_of(feed) -%}
    intermediate.touched_{{ feed }}
{%- endmacro %}
