-- Which area's parameters hold in a division: the smallest area around it that has any of its own. Areas nest, so this
-- one code decides all of its parameters, and few codes stand for many villages.
{{ config(indexes=[{'columns': ['division_code'], 'unique': true}]) }}

with

person as (
    select *
    from {{ ref('int_person') }}
),

local_standard as (
    select *
    from {{ ref('local_standard') }}
),

inhabited as (
    select distinct division_code
    from person
),

areas as (
    select area
    from local_standard
    union
    select '*'
),

final as (
    select distinct on (inhabited.division_code)
        inhabited.division_code,
        areas.area as standard_area
    from inhabited
    cross join lateral {{ area_and_parents('inhabited.division_code') }} as around
    inner join areas
        on around.area = areas.area
    order by
        inhabited.division_code,
        around.digits desc
)

select * from final
