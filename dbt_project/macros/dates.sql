-- The date everything is computed for. It is read when a query is sent, not when the project is parsed: a variable
-- would have dbt parse everything again every night.
{% macro as_of() -%}
    date '{{ env_var("DOUDI_DBT_AS_OF") if execute else "infinity" }}'
{%- endmacro %}


-- Whether a version of a record is the one that holds on the date.
{% macro holds(version) -%}
    {{ version }}._valid_from <= {{ as_of() }} and {{ as_of() }} < {{ version }}._valid_to
{%- endmacro %}


-- Whether a day lies in the months up to the date: after the same day so many months ago, up to and including it.
{% macro within_months(day, months) -%}
    {{ day }} <= {{ as_of() }}
    and {{ day }} > {{ as_of() }} - make_interval(months => {{ months }}::integer)
{%- endmacro %}


-- The same in days.
{% macro within_days(day, days) -%}
    {{ day }} <= {{ as_of() }} and {{ day }} > {{ as_of() }} - {{ days }}::integer
{%- endmacro %}


-- Per area of filing, the day for which a snapshot feed was last sent: a record that is current is as true
-- as the latest delivery that covers its area, however long ago the record itself changed.
{% macro latest_snapshots(feed) -%}
    select
        filed._area_code,
        max(deliveries.data_date) as data_date
    from (
        select distinct versions._area_code
        from (select * from {{ source('register', feed) }}) as versions
        where {{ holds('versions') }}
    ) as filed
    inner join (select * from {{ source('ops', 'load') }}) as deliveries
        on starts_with(filed._area_code, deliveries.area_code)
    where
        deliveries.feed = '{{ feed }}'
        and deliveries.status = 'published'
        and deliveries.data_date <= {{ as_of() }}
    group by filed._area_code
{%- endmacro %}


-- Since when a record has been in a state without a break: the data date of the first of the versions up to now that
-- follow one another and are all in it. `records` names the CTE with the records asked about, `key` their key columns.
{% macro since(versions, records, key, state) -%}
    select
        {% for column in key %}{{ column }},{% endfor %}
        max(_valid_from) filter (where begins) as since
    from (
        select
            {% for column in key %}versions.{{ column }},{% endfor %}
            versions._valid_from,
            versions.in_state,
            not coalesce(
                lag(versions.in_state) over earlier and lag(versions._valid_to) over earlier = versions._valid_from,
                false
            ) as begins
        from (select *, coalesce({{ state }}, false) as in_state from {{ versions }}) as versions
        where exists (
            select 1
            from {{ records }} as records
            where
                {% for column in key %}
                {% if not loop.first %}and {% endif %}records.{{ column }} = versions.{{ column }}
                {% endfor %}
        )
        window earlier as (
            partition by {% for column in key %}versions.{{ column }}{% if not loop.last %}, {% endif %}{% endfor %}
            order by versions._valid_from
        )
    ) as periods
    where in_state
    group by {% for column in key %}{{ column }}{% if not loop.last %}, {% endif %}{% endfor %}
{%- endmacro %}
