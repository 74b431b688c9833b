-- No two rows have the same value in a column with a unique index: asked on a cluster only, where the index is not one.
{% test unique_by_index(model, column_name) %}
{{ config(enabled=distributed()) }}
select {{ column_name }}
from {{ model }}
group by {{ column_name }}
having count(*) > 1
{% endtest %}
