-- Evidence is {"compared": […], "facts": […]}. `compared` says what was judged: name, value, unit, comparison, and
-- either the parameter it was held against (`limit`: name, value, unit, area, valid_from, source) or the fixed value
-- that the indicator's definition names (`expected`). `facts` says what that was read from: feed, column, value, load_id
-- and row_no, which lead to the row in the register and to the line in the archived file, and date, the day from which
-- the register has said so: the day of the latest list that still does would change every night.

-- What was read, and where it stands. Feed and column are expressions, for where a row says itself which it is of;
-- `row` is an alias with _load_id and _row_no.
{% macro fact_of(feed, column, value, row, date, load_id='_load_id', row_no='_row_no') -%}
    jsonb_build_object(
        'feed', {{ feed }},
        'column', {{ column }},
        'value', {{ value }},
        'date', {{ date }},
        'load_id', {{ row }}.{{ load_id }},
        'row_no', {{ row }}.{{ row_no }}
    )
{%- endmacro %}


-- A value read from a row of a feed that is known by name.
{% macro fact(feed, column, row, date, value=none) -%}
    {{ fact_of("'" ~ feed ~ "'", "'" ~ column ~ "'", value or row ~ '.' ~ column, row, date) }}
{%- endmacro %}


-- The income that counts for a household, read from whichever feed says it latest.
{% macro income_fact(household) -%}
    {{ fact_of(
        household ~ '.income_feed',
        household ~ '.income_column',
        household ~ '.income_sent',
        household,
        household ~ '.income_since',
        load_id='income_load_id',
        row_no='income_row_no',
    ) }}
{%- endmacro %}


-- From when to when a benefit of either kind was granted; `row` is an alias with feed, start_date and end_date.
{% macro benefit_facts(row, date) -%}
    jsonb_build_array(
        {%- for column in ['start_date', 'end_date'] %}
        {{ fact_of(row ~ '.feed', "'" ~ column ~ "'", row ~ '.' ~ column, row, date) }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    )
{%- endmacro %}


-- What makes a certificate one of severe disability that is valid; `row` is an alias with the columns of the feed.
{% macro severe_disability_facts(row) -%}
    jsonb_build_array(
        {%- for column in ['category', 'grade', 'issued_on', 'status', 'expires_on'] %}
        {{ fact('disability', column, row, row ~ '._valid_from') }}{% if not loop.last %},{% endif %}
        {%- endfor %}
    )
{%- endmacro %}


-- Per person of `found`, the settlements that the self-paid total of the look-back months adds up; both are CTEs.
{% macro self_paid_facts(settlements, found) -%}
    select
        {{ county_of('settlement') }}
        settlement.person_id,
        jsonb_agg(
            {{ fact('medical_assistance', 'self_paid', 'settlement', 'settlement.settled_on') }}
            order by settlement.settled_on, settlement.settlement_no, settlement._load_id, settlement._row_no
        ) as facts
    from {{ settlements }} as settlement
    inner join {{ found }} as found
        on {{ same_county('settlement', 'found') }} settlement.person_id = found.person_id
    group by {{ county_of('settlement') }} settlement.person_id
{%- endmacro %}


-- A list for `…_of` that is there only where it applies.
{% macro where_true(condition, list) -%}
    case when {{ condition }} then {{ list }} else '[]' end
{%- endmacro %}


-- A parameter as it was applied; `row` is an alias of int_local_standard.
{% macro parameter(row) -%}
    jsonb_build_object(
        'name', {{ row }}.name,
        'value', {{ row }}.value,
        'unit', {{ row }}.unit,
        'area', {{ row }}.area,
        'valid_from', {{ row }}.valid_from,
        'source', {{ row }}.source
    )
{%- endmacro %}


{% macro compared(name, value, comparison, limit=none, expected=none, unit=none) -%}
    jsonb_build_object(
        'name', '{{ name }}',
        'value', {{ value }},
        'comparison', '{{ comparison }}'
        {%- if unit %},
        'unit', '{{ unit }}'
        {%- endif %}
        {%- if limit %},
        'limit', {{ parameter(limit) }}
        {%- else %},
        'expected', {{ expected }}
        {%- endif %}
    )
{%- endmacro %}


-- `compared` and `facts` are lists of what the macros above give; `…_of` are columns that hold such lists already.
{% macro evidence(compared, facts=[], compared_of=[], facts_of=[]) -%}
    jsonb_build_object(
        'compared', {{ (['jsonb_build_array(' ~ compared | join(', ') ~ ')'] + compared_of) | join(' || ') }},
        'facts', {{ (['jsonb_build_array(' ~ facts | join(', ') ~ ')'] + facts_of) | join(' || ') }}
    )
{%- endmacro %}


-- One parameter by name, for every area in which somebody lives: import it as a CTE and join on standard_area.
{% macro local_standard(name) -%}
    select *
    from {{ ref('int_local_standard') }}
    where name = '{{ name }}'
{%- endmacro %}


-- A template of the catalogue with its places filled in from an evidence: {name} is a compared value, {name.limit} the
-- parameter it was held against, any other {column} a fact. A place that the evidence does not fill shows as `?`.
{% macro sentence(template, evidence) -%}
    (
        select string_agg(
            case
                when piece.place % 2 = 1 then piece.content
                when filled.value ~ '^-?[0-9]+[.][0-9]+$' then trim_scale(filled.value::numeric)::text
                else coalesce(filled.value, '?')
            end,
            ''
            order by piece.place
        )
        from regexp_split_to_table({{ template }}, '[{}]') with ordinality as piece (content, place)
        left join lateral (
            select items.value
            from (
                select item ->> 'name' as name, item ->> 'value' as value, 1 as precedence
                from jsonb_array_elements({{ evidence }} -> 'compared') as item
                union all
                select (item ->> 'name') || '.limit', item -> 'limit' ->> 'value', 1
                from jsonb_array_elements({{ evidence }} -> 'compared') as item
                union all
                select item ->> 'column', item ->> 'value', 2
                from jsonb_array_elements({{ evidence }} -> 'facts') as item
            ) as items
            where
                piece.place % 2 = 0
                and items.name = piece.content
            order by items.precedence
            limit 1
        ) as filled on true
    )
{%- endmacro %}
