-- What a register holds, with every citizen ID that was found to be the second one of somebody replaced by the first:
-- the one place where people who were joined become one. Where and when a row came from stays as it is. With no joins,
-- as is usual, this costs less than a hundredth of a second for a million rows. Only the rows of those whom the night
-- touches, by the columns that say whose a row is, but for what is counted over `everybody`.
{% macro versions_of(feed, everybody=false) -%}
    {%- set columns = var('columns')[feed] -%}
    {%- set people = var('people') | selectattr('feed', 'equalto', feed) | list -%}
    {%- set ids = people | map(attribute='column') | list -%}
    {%- set own = people | selectattr('is_own') | map(attribute='column') | list -%}
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
    from (
        select * from {{ touched_of(feed) if own and not everybody and of_touched() else source('register', feed) }}
    ) as versions
    {% for column in ids %}
    left join (select * from {{ source('identity', 'joined_id') }}) as joined_{{ column }}
        on versions.{{ column }} = joined_{{ column }}.citizen_id
    {% endfor %}
{%- endmacro %}


-- Every version known on the date. The last one of a record stays open, as nobody knew its end then.
{% macro known_versions_of(feed, everybody=false) -%}
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
    from ({{ versions_of(feed, everybody) }}) as versions
    where versions._valid_from <= {{ as_of() }}
{%- endmacro %}


-- The rows of a feed that hold on the date, of everybody, whomever the night touches: for what is counted over all.
{% macro everybodys(feed) -%}
    select versions.*
    from ({{ versions_of(feed, everybody=true) }}) as versions
    where {{ holds('versions') }}
{%- endmacro %}
