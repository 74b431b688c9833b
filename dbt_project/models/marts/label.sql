-- What codes are called, for charts and lists outside: readers of the marts do not read reference.
{{ config(incremental_strategy='mirror', unique_key=['kind', 'code']) }}

with

code_label as (
    select *
    from {{ ref('code_label') }}
),

indicator as (
    select *
    from {{ ref('indicator') }}
),

level as (
    select *
    from {{ ref('level') }}
),

department as (
    select *
    from {{ ref('department') }}
),

division as (
    select *
    from {{ ref('division') }}
    where valid_to is null and level <> 'village'
),

named as (
    select
        kind,
        code,
        sort_order,
        name_en,
        name_zh
    from code_label
    union all
    select
        'indicator' as kind,
        code,
        row_number() over (order by code) as sort_order,
        name_en,
        name_zh
    from indicator
    union all
    select
        'level' as kind,
        level as code,
        rank as sort_order,
        level as name_en,
        name_zh
    from level
    union all
    select
        'department' as kind,
        department as code,
        row_number() over (order by department) as sort_order,
        name_en,
        name_zh
    from department
    union all
    select
        'area' as kind,
        code,
        row_number() over (order by code) as sort_order,
        null as name_en,
        name as name_zh
    from division
),

final as (
    select
        kind,
        code,
        sort_order::integer as sort_order,
        name_en,
        name_zh,
        concat_ws(' ', name_zh, name_en) as title
    from named
)

select * from final
