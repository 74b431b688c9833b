-- Each model ind_<code>_… gives its own code only, in the scope that the catalogue declares for it, and the catalogue
-- declares no code without a model.
{% for indicator in var('indicators') %}
select
    found.indicator_code,
    found.scope
from {{ ref(indicator) }} as found
left join {{ ref('indicator') }} as declared
    on found.indicator_code = declared.code
where
    found.indicator_code <> '{{ indicator.split("_")[1] | upper }}'
    or found.scope is distinct from declared.scope
union all
{% endfor %}
select
    code as indicator_code,
    scope
from {{ ref('indicator') }}
where
    code not in (
        {% for indicator in var('indicators') %}
        '{{ indicator.split("_")[1] | upper }}'{% if not loop.last %},{% endif %}
        {% endfor %}
    )
