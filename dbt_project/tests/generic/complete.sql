-- Every row has a value in each of `columns`.
{% test complete(model, columns) %}
select 1 as incomplete
from {{ model }}
where num_nulls({{ columns | join(', ') }}) > 0
{% endtest %}
