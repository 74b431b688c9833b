with

versions as (
    {{ versions_of('left_behind') }}
),

snapshots as (
    {{ latest_snapshots('left_behind') }}
),

final as (
    select
        versions._county_code,
        versions.kind,
        versions.name,
        versions.citizen_id,
        versions.division_code,
        versions.guardian_name,
        versions.guardian_citizen_id,
        versions.guardian_capable,
        versions.lives_alone,
        versions.registered_on,
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
