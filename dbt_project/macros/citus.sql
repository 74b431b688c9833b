-- What a cluster of Citus needs otherwise (docs/scale.md). The runner sets the variable `distributed`; where it does
-- not, every macro below is dbt's own.
{% macro distributed() -%}
    {{ return(var('distributed', false)) }}
{%- endmacro %}


-- What a household's rows are joined by besides on a cluster, where that lets each worker join its own counties' rows by
-- itself. Elsewhere it stays out: PostgreSQL would take two conditions for choosier than one, though the one follows
-- from the other.
{% macro same_county(one, other) -%}
    {%- if distributed() -%}{{ one }}.county_code = {{ other }}.county_code and{% endif -%}
{%- endmacro %}


-- The county among the columns that a subquery gives or groups by, where it is wanted for such joins only.
{% macro county_of(row=none) -%}
    {%- if distributed() -%}{% if row %}{{ row }}.{% endif %}county_code,{% endif -%}
{%- endmacro %}


-- Small tables without a county that large models are joined with: every node has a copy of them. None that is kept
-- from night to night: Citus does not change such copies by a table of the coordinator's own.
{% macro is_copied_to_nodes() -%}
    {{ return(model.resource_type == 'seed' or model.name in [
        'int_local_standard', 'int_report_period', 'int_standard_area'
    ]) }}
{%- endmacro %}


{% macro place(relation) -%}
    {% if is_copied_to_nodes() %}
    select cluster.copy_to_nodes('{{ relation.include(database=false) }}');
    {% else %}
    select cluster.distribute('{{ relation.include(database=false) }}');
    {% endif %}
{%- endmacro %}


-- The relations that a model or a test reads, as they stand in its query.
{% macro relations_read() -%}
    {%- set relations = [this.render()] -%}
    {%- for unique_id in model.depends_on.nodes -%}
        {%- set node = graph.nodes.get(unique_id) or graph.sources.get(unique_id) -%}
        {%- if node and node.relation_name -%}
            {%- do relations.append(node.relation_name) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return("array['" ~ relations | unique | join("', '") ~ "']::text[]") }}
{%- endmacro %}


-- A table is made empty, placed, and then filled, so that its rows go from worker to worker where the query can be
-- split up. Of a contract's constraints only `not null` is there: nothing but what has the county in it can be unique.
-- `unlogged` is not heeded: of such a table a worker that crashes amid a build would lose its part, and its being back
-- would look to the models that follow as if there were no more rows.
{% macro postgres__create_table_as(temporary, relation, sql) -%}
    {%- if not distributed() -%}
        {{ return(dbt.postgres__create_table_as(temporary, relation, sql)) }}
    {%- endif -%}
    {%- set enforced = config.get('contract').enforced and not temporary -%}
    {%- set query = get_select_subquery(sql) if enforced else sql %}
    create {% if temporary %}temporary{% endif %} table {{ relation }}
    {%- if enforced %} (
        {%- for column in model.columns.values() %}
        {{ column.name }} {{ column.data_type }}
        {%- if column.constraints | selectattr('type', 'equalto', 'not_null') | list %} not null{% endif -%}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    );
    {%- else %} as (
        {{ query }}
    ) with no data;
    {%- endif %}
    {% if not temporary and not is_copied_to_nodes() %}{{ place(relation) }}{% endif %}
    select cluster.fill('{{ relation }}', $query$
        {{ query }}
    $query$, {{ relations_read() }});
    {% if not temporary and is_copied_to_nodes() %}{{ place(relation) }}{% endif %}
{%- endmacro %}


{% macro postgres__get_create_index_sql(relation, index_dict) -%}
    {%- set wanted = dict(index_dict) -%}
    {%- if distributed() and wanted.unique and 'county_code' not in wanted.columns -%}
        {%- do wanted.update({'unique': false}) -%}
    {%- endif -%}
    {{ return(dbt.postgres__get_create_index_sql(relation, wanted)) }}
{%- endmacro %}


{% macro default__get_test_sql(main_sql, fail_calc, warn_if, error_if, limit) -%}
    {%- if not distributed() or fail_calc != 'count(*)' -%}
        {{ return(dbt.default__get_test_sql(main_sql, fail_calc, warn_if, error_if, limit)) }}
    {%- endif %}
    select
        counted.failures,
        counted.failures {{ warn_if }} as should_warn,
        counted.failures {{ error_if }} as should_error
    from (
        select cluster.count_of($query$
            {{ main_sql }}
        $query$, {{ relations_read() }}) as failures
    ) as counted
{%- endmacro %}


-- What the strategies of kept_tables.sql do, in statements that Citus has: a row that changed is replaced, and one of a
-- table that is mirrored goes where the query does not give it any more.
{% macro citus_changes(arguments, mirror=false) -%}
    {%- set key = arguments.unique_key -%}
    {%- set keys = [key] if key is string else key -%}
    {%- set columns = arguments.dest_columns | map(attribute='name') | list -%}
    {%- set target, wanted = arguments.target_relation, arguments.temp_relation -%}
    {%- set changed, gone = wanted.identifier[:50] ~ '_changed', wanted.identifier[:50] ~ '_gone' %}
    analyze {{ wanted }};

    create temporary table {{ changed }} on commit drop as
    select wanted.*
    from {{ wanted }} as wanted
    left join (select * from {{ target }}) as kept
        on {{ same_row(arguments) }}
    where
        kept.{{ keys[0] }} is null
        or (kept.{{ columns | join(', kept.') }}) is distinct from (wanted.{{ columns | join(', wanted.') }});

    delete from {{ target }} as kept
    using {{ changed }} as wanted
    where {{ same_row(arguments) }};

    insert into {{ target }} ({{ columns | join(', ') }})
    select {{ columns | join(', ') }}
    from {{ changed }};
    {%- if mirror %}

    create temporary table {{ gone }} on commit drop as
    select {{ keys | join(', ') }}
    from {{ target }}
    except
    select {{ keys | join(', ') }}
    from {{ wanted }};

    delete from {{ target }} as kept
    using {{ gone }} as wanted
    where {{ same_row(arguments) }};
    {%- endif %}
{%- endmacro %}
