-- The one place that turns what the departments call somebody into an identifier of ours. The same input gives the
-- same identifier in every build and every warehouse with the same key, which the session holds and no file of dbt's.
{% macro key_of(kind, parts) -%}
    '{{ kind }}' {%- for part in parts %} || '|' || {{ part }}{% endfor %}
{%- endmacro %}


{% macro hashed(kind, parts) -%}
    ops.keyed_hash({{ key_of(kind, parts) }})
{%- endmacro %}


{% macro identifier_of(key) -%}
    encode(substring(ops.keyed_hash({{ key }}) from 1 for 16), 'hex')::uuid
{%- endmacro %}


{% macro person_id(citizen_id) -%}
    {{ identifier_of(key_of('person', [citizen_id])) }}
{%- endmacro %}


-- The same where `touched` is joined, which knows the identifiers of whom the night touches: to make one takes as long
-- as the rest of a row.
{% macro known_person_id(citizen_id) -%}
    {%- if of_touched() -%}
    coalesce(touched.person_id, {{ person_id(citizen_id) }})
    {%- else -%}
    {{ person_id(citizen_id) }}
    {%- endif -%}
{%- endmacro %}


{% macro join_touched(citizen_id) -%}
    {%- if of_touched() -%}
    left join intermediate.touched
        on {{ citizen_id }} = touched.citizen_id
    {%- endif -%}
{%- endmacro %}


-- What makes a household's identifier: of one that a register lists, the feed, the county that files it and the
-- register's own number.
{% macro household_key(feed, county_code, number) -%}
    {{ key_of('household', ["'" ~ feed ~ "'", county_code, number]) }}
{%- endmacro %}


-- Of somebody whom no register lists with others, the citizen ID.
{% macro household_key_alone(citizen_id) -%}
    {{ key_of('household', ["'person'", citizen_id]) }}
{%- endmacro %}


-- Indicator, day and ten characters (50 bits) in an alphabet without I, L, O and U, which are misread when typed.
{% macro warning_id(indicator_code, subject_id, opened_on) -%}
    {%- set digest = hashed('warning', [indicator_code, subject_id ~ '::text', opened_on ~ '::text']) -%}
    {{ indicator_code }} || '-' || to_char({{ opened_on }}, 'YYYYMMDD') || '-' || (
        select string_agg(
            substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', 1 + get_byte(digest, position) % 32, 1), '' order by position
        )
        from (select {{ digest }} as digest) as hash
        cross join generate_series(0, 9) as position
    )
{%- endmacro %}


{% macro birth_on(citizen_id) -%}
    substr({{ citizen_id }}, 7, 8)::date
{%- endmacro %}


{% macro sex(citizen_id) -%}
    case substr({{ citizen_id }}, 17, 1)::integer % 2 when 1 then 'male' else 'female' end
{%- endmacro %}


-- A name as names are compared; the registers keep it as it was sent.
{% macro person_name(name) -%}
    ops.person_name({{ name }})
{%- endmacro %}
