-- A parameter that has begun to hold somewhere holds wherever anybody lives: without it an indicator falls silent.
select
    areas.standard_area,
    begun.name
from (select distinct standard_area from {{ ref('int_standard_area') }}) as areas
cross join (
    select distinct name
    from {{ ref('local_standard') }}
    where
        valid_from <= {{ as_of() }}
        and (valid_to is null or valid_to >= {{ as_of() }})
) as begun
left join {{ ref('int_local_standard') }} as resolved
    on areas.standard_area = resolved.standard_area
    and begun.name = resolved.name
where resolved.name is null
