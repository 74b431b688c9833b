-- The sums of a CTE for every area around its rows' division_code, village to province, and for the whole (`*`): plain
-- group bys in a union, which any Postgres and a cluster of them can split up.
{% macro by_every_area(relation, keys, sums, with_whole=true) -%}
    {%- set levels = [('village', 12), ('township', 9), ('county', 6), ('prefecture', 4), ('province', 2)] -%}
    {%- for level, digits in levels + ([('whole', 0)] if with_whole else []) %}
    select
        {% if digits %}left(division_code, {{ digits }}){% else %}'*'{% endif %} as division_code,
        '{{ level }}' as division_level,
        {%- for key in keys %}
        {{ key }},
        {%- endfor %}
        {%- for column in sums %}
        sum({{ column }}) as {{ column }}{% if not loop.last %},{% endif %}
        {%- endfor %}
    from {{ relation }}
    group by
        {{ ((['left(division_code, ' ~ digits ~ ')'] if digits else []) + keys) | join(',\n        ') }}
    {% if not loop.last %}union all{% endif %}
    {%- endfor %}
{%- endmacro %}


-- The divisions as they are called on the date.
{% macro divisions() -%}
    select *
    from {{ ref('division') }}
    where {{ in_force('valid_from', 'valid_to') }}
{%- endmacro %}
