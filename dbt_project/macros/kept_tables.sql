-- Two incremental strategies for tables that outsiders read. The table stays the same object, so its grants, policies,
-- indexes and dependent views stay; a row that is already as it should be is not written again; all in the one
-- transaction that dbt opens. `changes` adds and updates, `mirror` removes what the query no longer gives as well: of
-- those whom the night touches, where the table says by `touched_by` in its meta which column is about whom.
{% macro same_row(arguments) -%}
    {%- set key = arguments.unique_key -%}
    {%- for column in ([key] if key is string else key) -%}
        {% if not loop.first %} and {% endif %}kept.{{ column }} = wanted.{{ column }}
    {%- endfor -%}
{%- endmacro %}


{% macro get_incremental_changes_sql(arguments) -%}
    {%- if distributed() -%}
        {{ return(citus_changes(arguments)) }}
    {%- endif -%}
    {%- set key = arguments.unique_key -%}
    {%- set keys = [key] if key is string else key -%}
    {%- set columns = arguments.dest_columns | map(attribute='name') | list -%}
    {%- set values = columns | reject('in', keys) | list -%}
    {#- The keys are all that is joined; statistics of the lists that a row may hold cost more than the merge. -#}
    analyze {{ arguments.temp_relation }} ({{ keys | join(', ') }});

    merge into {{ arguments.target_relation }} as kept
    using {{ arguments.temp_relation }} as wanted
        on {{ same_row(arguments) }}
    when matched
        and (kept.{{ values | join(', kept.') }}) is distinct from (wanted.{{ values | join(', wanted.') }})
        then update set
            {% for column in values %}
            {{ column }} = wanted.{{ column }}{% if not loop.last %},{% endif %}
            {% endfor %}
    when not matched
        then insert ({{ columns | join(', ') }}) values (wanted.{{ columns | join(', wanted.') }});
{%- endmacro %}


{% macro get_incremental_mirror_sql(arguments) -%}
    {%- if distributed() -%}
        {{ return(citus_changes(arguments, mirror=true)) }}
    {%- endif -%}
    {{ get_incremental_changes_sql(arguments) }}
    {%- set target, wanted = arguments.target_relation, arguments.temp_relation -%}
    {%- set touched_by = config.get('meta', {}).get('touched_by') if of_touched() -%}
    {%- if touched_by and touched_by.column == arguments.unique_key %}

    delete from {{ target }} as kept
    where kept.{{ touched_by.column }} in (
        {#- A few, found by the key: the table is not read through. -#}
        select touched.{{ touched_by.of }}
        from intermediate.touched
        where not exists (
            select 1
            from {{ wanted }} as wanted
            where wanted.{{ touched_by.column }} = touched.{{ touched_by.of }}
        )
    );
    {%- else %}

    delete from {{ target }} as kept
    where not exists (
        select 1
        from {{ wanted }} as wanted
        where {{ same_row(arguments) }}
    )
    {%- if touched_by %}
    and {{ is_touched('kept.' ~ touched_by.column, of=touched_by.of) }}
    {%- endif %};
    {%- endif %}
{%- endmacro %}


-- How a kept table is stored is said when everybody is computed. In a night that computes whom it touches it is as it
-- was, and to say it again would wait for a vacuum of the table.

-- Of a table in which nearly every standing row is written each night: a page keeps half of its room, so that the new
-- row finds place beside the old one and no index has to be told of it.
{% macro leave_room() %}
    {% if not distributed() and not of_touched() %}
    alter table {{ this }} set (fillfactor = 50)
    {% endif %}
{% endmacro %}


-- An index besides those of the model's configuration, which a table gets when it is made only.
{% macro index_kept(name, on, unique=false) %}
    {% if not of_touched() %}
    create {{ 'unique' if unique and not distributed() }} index if not exists {{ this.identifier }}_{{ name }}
    on {{ this }} {{ on }}
    {% endif %}
{% endmacro %}


-- Statistics of a kept table, where much of it may have changed. What changes in a night autovacuum counts.
{% macro analyze_kept() %}
    {% if not of_touched() %}
    analyze {{ this }}
    {% endif %}
{% endmacro %}


-- In a night that computes whom it touches the models are as they were, and so are the form and the comments of their
-- tables: dbt neither compares nor writes them then, a dozen statements for each table.
{% macro postgres__process_schema_changes(on_schema_change, source_relation, target_relation) -%}
    {%- if of_touched() -%}
        {{ return(adapter.get_columns_in_relation(target_relation)) }}
    {%- endif -%}
    {{ return(dbt.default__process_schema_changes(on_schema_change, source_relation, target_relation)) }}
{%- endmacro %}


{% macro postgres__persist_docs(relation, model, for_relation, for_columns) -%}
    {%- if not of_touched() -%}
        {{ return(dbt.default__persist_docs(relation, model, for_relation, for_columns)) }}
    {%- endif -%}
{%- endmacro %}
