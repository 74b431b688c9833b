-- Words of the field that more than one model uses.
{% macro at_risk_statuses() -%}
    array['not_lifted', 'returned', 'unstable', 'marginal']
{%- endmacro %}


-- Kinds of labour in the poverty register that can earn a living.
{% macro able_to_work() -%}
    array['ordinary', 'skilled']
{%- endmacro %}


-- What a pupil's enrolment says who should be at school and is not.
{% macro out_of_school() -%}
    array['suspended', 'dropped_out']
{%- endmacro %}


{% macro is_severe_disability(certificate) -%}
    ({{ certificate }}.grade in ('1', '2') or ({{ certificate }}.grade = '3' and {{ certificate }}.category in ('5', '6')))
{%- endmacro %}


-- Whole years on the date. Who was born on 29 February turns a year older on 1 March.
{% macro age_on(birth_on) -%}
    extract(year from age({{ as_of() }}::timestamp, {{ birth_on }}::timestamp))::integer
{%- endmacro %}


-- Where two rows say the same thing on the same day, the feed that stands first here is believed.
{% macro precedence(feed) -%}
    coalesce(
        array_position(array['poverty_register', 'minimum_allowance', 'special_hardship', 'economic_check'], {{ feed }}),
        5
    )
{%- endmacro %}


-- A division code's own area and those above it, down to `*`, which is everywhere.
{% macro area_and_parents(code) -%}
    (
        select left({{ code }}, digits) as area, digits
        from unnest(array[2, 4, 6, 9, 12]) as digits
        where digits <= length({{ code }})
        union all
        select '*', 0
    )
{%- endmacro %}
