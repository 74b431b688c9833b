with

versions as (
    {{ versions_of('temporary_assistance') }}
),

final as (
    select
        versions._county_code,
        versions.grant_no,
        versions.name,
        versions.citizen_id,
        versions.division_code,
        versions.kind,
        versions.reason,
        versions.amount,
        versions.granted_on,
        versions._area_code,
        versions._valid_from,
        versions._valid_from as _data_date,
        versions._load_id,
        versions._row_no
    from versions
    where {{ holds('versions') }}
)

select * from final
