-- Tables and views of staging and intermediate are scratch of one build, which nobody else reads. dbt's own
-- materializations also look for leftovers, keep the old one under another name until the commit, compare grants and
-- write comments: eight statements for each model. Here one makes it anew and takes the old one's place, in the
-- transaction that the hooks share; a model that fails leaves the old one.
{% materialization table, adapter='postgres' -%}
    {{ return(made_anew('table')) }}
{%- endmaterialization %}


{% materialization view, adapter='postgres' -%}
    {{ return(made_anew('view')) }}
{%- endmaterialization %}


{% macro made_anew(type) -%}
    {%- set old = load_cached_relation(this) -%}
    {%- set target = this.incorporate(type=type) -%}
    {%- set new = make_intermediate_relation(target) -%}
    {%- set then = [] -%}
    {%- if type == 'table' and not distributed() -%}
        {#- It is read as soon as it is there, and made anew the next night: nothing to vacuum. -#}
        {%- do then.append('alter table ' ~ new ~ ' set (autovacuum_enabled = off)') -%}
    {%- endif -%}
    {%- for index in config.get('indexes', []) -%}
        {%- do then.append(get_create_index_sql(new, index)) -%}
    {%- endfor -%}
    {%- if old -%}
        {#- A view went already where one that it reads was made anew. -#}
        {%- do then.append('drop ' ~ old.type ~ ' if exists ' ~ old ~ ' cascade') -%}
    {%- endif -%}
    {%- do then.append('alter ' ~ type ~ ' ' ~ new ~ ' rename to ' ~ target.identifier) -%}
    {{ run_hooks(pre_hooks) }}
    {% call statement('main') -%}
    {{ get_create_table_as_sql(False, new, sql) if type == 'table' else get_create_view_as_sql(new, sql) }};
    {%- if not distributed() %}
    {{ then | join(';\n') }};
    {%- endif %}
    {%- endcall %}
    {#- Citus sends workers the whole text of which a statement is a part. -#}
    {%- for statement_ in then if distributed() %}
    {% call statement() %}{{ statement_ }}{% endcall %}
    {%- endfor %}
    {{ run_hooks(post_hooks) }}
    {% do adapter.commit() %}
    {{ return({'relations': [target]}) }}
{%- endmacro %}
