with

versions as (
    {{ versions_of('housing_assistance') }}
),

snapshots as (
    {{ latest_snapshots('housing_assistance') }}
),

final as (
    select
        versions._county_code,
        versions.head_name,
        versions.head_citizen_id,
        versions.division_code,
        versions.safety_grade,
        versions.only_home,
        versions.appraised_on,
        versions.works,
        versions.subsidy_amount,
        versions.completed_on,
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
