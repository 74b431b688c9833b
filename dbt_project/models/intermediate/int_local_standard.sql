-- The parameters as they hold on the date: an area's own value wins over that of the area around it. A year's
-- disposable income is known only after the year, so on the date that of the year before counts.
{{ config(indexes=[{'columns': ['standard_area', 'name'], 'unique': true}]) }}

with

local_standard as (
    select
        *,
        case
            when starts_with(name, 'disposable_income_annual.') then date_trunc('year', {{ as_of() }})::date - 1
            else {{ as_of() }}
        end as counts_on
    from {{ ref('local_standard') }}
),

areas as (
    select area
    from local_standard
    union
    select '*'
),

valid as (
    select *
    from local_standard
    where
        valid_from <= counts_on
        and (valid_to is null or valid_to >= counts_on)
),

final as (
    select distinct on (areas.area, valid.name)
        areas.area as standard_area,
        valid.name,
        valid.value,
        valid.unit,
        valid.area,
        valid.valid_from,
        valid.source
    from areas
    cross join lateral {{ area_and_parents('areas.area') }} as around
    inner join valid
        on around.area = valid.area
    order by
        areas.area,
        valid.name,
        around.digits desc,
        valid.valid_from desc
)

select * from final
