with

versions as (
    {{ versions_of('special_hardship') }}
),

snapshots as (
    {{ latest_snapshots('special_hardship') }}
),

final as (
    select
        versions._county_code,
        versions.certificate_no,
        versions.name,
        versions.citizen_id,
        versions.division_code,
        versions.area_type,
        versions.self_care,
        versions.support_mode,
        versions.institution,
        versions.monthly_amount,
        versions.start_date,
        versions.end_date,
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
