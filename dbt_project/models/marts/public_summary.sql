-- The table and what it promises; its rows are written by doudi.small_cells when a build has gone through, as what may
-- be told of a count depends on all the others. So nothing is added here.
{{ config(incremental_strategy='changes', unique_key=['division_code', 'measure', 'category'], full_refresh=false) }}

with

public_count as (
    select *
    from {{ ref('int_public_count') }}
),

final as (
    select
        {{ as_of() }} as as_of,
        division_code,
        division_level,
        division_name,
        measure,
        measure_name,
        category,
        category_name,
        value,
        true as is_suppressed
    from public_count
    where false
)

select * from final
