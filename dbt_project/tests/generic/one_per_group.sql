-- Exactly one row of each `group` satisfies `column`.
{% test one_per_group(model, column_name, group) %}
select {{ group }}
from {{ model }}
group by {{ group }}
having count(*) filter (where {{ column_name }}) <> 1
{% endtest %}
