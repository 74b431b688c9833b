-- What a register holds, with every citizen ID that was found to be the second one of somebody replaced by the first:
-- the one place where people who were joined become one. Where and when a row came from stays as it is. With no joins,
-- as is usual, this costs less than a hundredth of a second for a million rows.
{% macro versions_of(feed) -%}
    {%- set columns = var('columns')[feed] -%}
    {%- set ids = var('people') | selectattr('feed', 'equalto', feed) | map(attribute='column') | list -%}
    select
        versions._county_code,
        {% for column in columns %}
        {% if column in ids %}
        coalesce(joined_{{ column }}.canonical_id, versions.{{ column }}) as {{ column }},
        {% else %}
        versions.{{ column }},
        {% endif %}
        {% endfor %}
        versions._area_code,
        versions._valid_from,
        versions._valid_to,
        versions._load_id,
        versions._row_no
    from (select * from {{ source('register', feed) }}) as versions
    {% for column in ids %}
    left join (select * from {{ source('identity', 'joined_id') }}) as joined_{{ column }}
        on versions.{{ column }} = joined_{{ column }}.citizen_id
    {% endfor %}
{%- endmacro %}


-- Every version known on the date. The last one of a record stays open, as nobody knew its end then.
{% macro known_versions_of(feed) -%}
    select
        versions._county_code,
        {% for column in var('columns')[feed] %}
        versions.{{ column }},
        {% endfor %}
        versions._area_code,
        versions._valid_from,
        case when versions._valid_to <= {{ as_of() }} then versions._valid_to else 'infinity' end as _valid_to,
        versions._load_id,
        versions._row_no
    from ({{ versions_of(feed) }}) as versions
    where versions._valid_from <= {{ as_of() }}
{%- endmacro %}
