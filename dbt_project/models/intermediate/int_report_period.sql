-- What is reported on the date, and what each is held against. Every period has two rows: its own days, and those of
-- the period before (`is_before`) - of a quarter the quarter before, of the year to date the same days of the year
-- before, of any other the same number of days before it. A period that has begun is reported up to the date.
with

report_period as (
    select *
    from {{ ref('report_period') }}
    where first_on <= {{ as_of() }}
),

quarter as (
    select date_trunc('quarter', {{ as_of() }} + interval '1 day')::date as next_on
),

named as (
    select
        'quarter' as period,
        'quarter' as name_en,
        '季度' as name_zh,
        (next_on - interval '3 months')::date as first_on,
        next_on - 1 as last_on,
        (next_on - interval '6 months')::date as before_first_on,
        (next_on - interval '3 months')::date - 1 as before_last_on
    from quarter
    union all
    select
        'year_to_date' as period,
        'year to date' as name_en,
        '本年累计' as name_zh,
        date_trunc('year', {{ as_of() }})::date as first_on,
        {{ as_of() }} as last_on,
        (date_trunc('year', {{ as_of() }}) - interval '1 year')::date as before_first_on,
        ({{ as_of() }} - interval '1 year')::date as before_last_on
    union all
    select
        period,
        name_en,
        name_zh,
        first_on,
        least(last_on, {{ as_of() }}) as last_on,
        first_on - (least(last_on, {{ as_of() }}) - first_on + 1) as before_first_on,
        first_on - 1 as before_last_on
    from report_period
),

final as (
    select
        period,
        name_en,
        name_zh,
        false as is_before,
        first_on,
        last_on
    from named
    union all
    select
        period,
        name_en,
        name_zh,
        true as is_before,
        before_first_on as first_on,
        before_last_on as last_on
    from named
)

select * from final
