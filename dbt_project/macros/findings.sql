-- The indicators of the catalogue that are in force on the date.
{% macro catalogue() -%}
    select *
    from {{ ref('indicator') }}
    where
        valid_from <= {{ as_of() }}
        and (valid_to is null or valid_to >= {{ as_of() }})
{%- endmacro %}


-- What other indicators find on the date, for an indicator that rests on them: those whose codes begin with one of
-- `families`, whichever models are there, as far as the catalogue has them in force. A new indicator is thus read
-- without being named. It starts from no row, so that a family may be without a model.
{% macro findings(families) -%}
    select
        found.indicator_code,
        found.household_id,
        found.fact_on,
        found.evidence
    from (
        select
            null::text as indicator_code,
            null::uuid as household_id,
            null::date as fact_on,
            null::jsonb as evidence
        where false
        {% for model in var('indicators') %}
        {% set code = model.split('_')[1] | upper %}
        {% for family in families if code.startswith(family) %}
        union all
        select
            indicator_code,
            household_id,
            fact_on,
            evidence
        from {{ ref(model) }}
        {% endfor %}
        {% endfor %}
    ) as found
    inner join ({{ catalogue() }}) as declared
        on found.indicator_code = declared.code
{%- endmacro %}


-- Per household the codes that hold, and the facts of those findings, each with the code it speaks for.
{% macro findings_by_household(findings) -%}
    select
        found.household_id,
        string_agg(distinct found.indicator_code, '、') as indicator_codes,
        count(distinct found.indicator_code) as indicators,
        min(found.fact_on) as first_fact_on,
        jsonb_agg(
            fact.content || jsonb_build_object('indicator_code', found.indicator_code)
            order by
                found.indicator_code,
                found.fact_on,
                fact.content ->> 'feed',
                fact.content ->> 'load_id',
                fact.place,
                (fact.content ->> 'row_no')::bigint
        ) as facts
    from {{ findings }} as found
    cross join lateral jsonb_array_elements(found.evidence -> 'facts') with ordinality as fact (content, place)
    group by found.household_id
{%- endmacro %}
