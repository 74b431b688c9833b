{# Loads a seed's rows. dbt's own writes the statement by a call of a macro for each value, 36,000 of them for the
   divisions, which takes many times as long as Postgres does. #}
{% macro postgres__load_csv_rows(model, agate_table) %}
    {%- set columns = get_seed_column_quoted_csv(model, agate_table.column_names) -%}
    {%- set row_of_values = "(" ~ (["%s"] * (agate_table.column_names | length)) | join(", ") ~ ")" -%}
    {%- set statements = [] -%}
    {%- for rows in agate_table.rows | batch(get_batch_size()) -%}
        {%- set bindings = [] -%}
        {%- for row in rows -%}{%- do bindings.extend(row) -%}{%- endfor -%}
        {%- set statement -%}
            insert into {{ this }} ({{ columns }}) values {{ ([row_of_values] * (rows | length)) | join(", ") }}
        {%- endset -%}
        {%- do adapter.add_query(statement, bindings=bindings, abridge_sql_log=True) -%}
        {%- do statements.append(statement) -%}
    {%- endfor -%}
    {{ return(statements[0]) }}
{% endmacro %}
