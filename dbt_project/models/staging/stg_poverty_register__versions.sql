-- Every version known on the date; the last one of a record stays open, as nobody knew its end then.
with

versions as (
    {{ versions_of('poverty_register') }}
),

final as (
    select
        versions._county_code,
        versions.household_no,
        versions.person_no,
        versions.name,
        versions.citizen_id,
        versions.division_code,
        versions.relation_to_head,
        versions.status,
        versions.annual_income_per_capita,
        versions.cause,
        versions.labour,
        versions.health,
        versions.migrant_work,
        versions.lifted_year,
        versions._area_code,
        versions._valid_from,
        case when versions._valid_to <= {{ as_of() }} then versions._valid_to else 'infinity' end as _valid_to,
        versions._load_id,
        versions._row_no
    from versions
    where versions._valid_from <= {{ as_of() }}
)

select * from final
