-- The date everything is computed for. It is read when a query is sent, not when the project is parsed: a variable
-- would have dbt parse everything again every night.
{% macro as_of() -%}
    date '{{ env_var("DOUDI_DBT_AS_OF") if execute else "infinity" }}'
{%- endmacro %}


-- Whether a version of a record is the one that holds on the date.
{% macro holds(version) -%}
    {{ version }}._valid_from <= {{ as_of() }} and {{ as_of() }} < {{ version }}._valid_to
{%- endmacro %}


-- Whether something that a record says begins and ends on certain days goes on on the date; an empty day is no bound.
{% macro in_force(starts_on, ends_on) -%}
    ({{ starts_on }} is null or {{ starts_on }} <= {{ as_of() }})
    and ({{ ends_on }} is null or {{ ends_on }} >= {{ as_of() }})
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


-- The first of the months that are told one by one: reports compare with the year before.
{% macro first_report_month() -%}
    (date_trunc('year', {{ as_of() }}::timestamp) - interval '1 year')::date
{%- endmacro %}


-- The months that are told one by one; the last one ends on the date.
{% macro report_months() -%}
    select
        months.first_on::date as month,
        least((months.first_on + interval '1 month')::date - 1, {{ as_of() }}) as last_on
    from generate_series(
        {{ first_report_month() }}::timestamp, {{ as_of() }}::timestamp, interval '1 month'
    ) as months (first_on)
{%- endmacro %}


-- Per area of filing, the day for which a snapshot feed was last sent: a record that is current is as true
-- as the latest delivery that covers its area, however long ago the record itself changed.
{% macro latest_snapshots(feed) -%}
    select
        filed._area_code,
        max(deliveries.data_date) as data_date
    from (
        select distinct versions._area_code
        from ({{ versions_of(feed) }}) as versions
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


-- The day on which somebody turned so many years old; who was born on 29 February, in other years on 1 March.
{% macro turned_on(birth_on, years) -%}
    (
        ({{ birth_on }} + make_interval(years => {{ years }}::integer))::date
        + (
            extract(day from {{ birth_on }})
            <> extract(day from {{ birth_on }} + make_interval(years => {{ years }}::integer))
        )::integer
    )
{%- endmacro %}
