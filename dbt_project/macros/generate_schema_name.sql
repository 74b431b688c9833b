-- Schemas are named as they are written in dbt_project.yml. A build of a past date ends them in its own suffix;
-- the seeds hold for every date and are shared, unless a simulation brings others.
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- set schema = custom_schema_name or target.schema -%}
    {{- schema ~ var('seed_suffix' if node.resource_type == 'seed' else 'schema_suffix') -}}
{%- endmacro %}
