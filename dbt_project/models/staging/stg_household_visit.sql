with

versions as (
    {{ versions_of('household_visit') }}
),

final as (
    select
        versions._county_code,
        versions.warning_id,
        versions.visited_on,
        versions.visitor,
        versions.finding,
        versions.refer_to,
        versions.measure,
        versions.remark,
        versions._area_code,
        versions._valid_from,
        versions._valid_from as _data_date,
        versions._load_id,
        versions._row_no
    from versions
    where {{ holds('versions') }}
)

select * from final
