-- dbt's own `unique` for a column with a unique index: asked on a cluster only, where the index is not one.
{% test unique_by_index(model, column_name) %}
{{ config(enabled=distributed()) }}
{{ dbt.default__test_unique(model, column_name) }}
{% endtest %}
