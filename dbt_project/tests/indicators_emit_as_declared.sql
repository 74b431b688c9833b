-- Each model ind_<code>_… gives its own code only, and the scope that the catalogue declares for it.
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
{% if not loop.last %}union all{% endif %}
{% endfor %}
