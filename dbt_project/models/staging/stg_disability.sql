with

versions as (
    {{ versions_of('disability') }}
),

snapshots as (
    {{ latest_snapshots('disability') }}
),

final as (
    select
        versions._county_code,
        versions.certificate_no,
        versions.name,
        versions.citizen_id,
        versions.division_code,
        versions.category,
        versions.grade,
        versions.issued_on,
        versions.expires_on,
        versions.status,
        versions.living_subsidy,
        versions.care_subsidy,
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
