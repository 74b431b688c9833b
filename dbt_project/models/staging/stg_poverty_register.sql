with

versions as (
    {{ versions_of('poverty_register') }}
),

snapshots as (
    {{ latest_snapshots('poverty_register') }}
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
        coalesce(snapshots.data_date, versions._valid_from) as _data_date,
        versions._load_id,
        versions._row_no
    from versions
    left join snapshots
        on versions._area_code = snapshots._area_code
    where {{ holds('versions') }}
)

select * from final
