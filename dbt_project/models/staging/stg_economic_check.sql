with

versions as (
    {{ versions_of('economic_check') }}
),

final as (
    select
        versions._county_code,
        versions.check_no,
        versions.name,
        versions.citizen_id,
        versions.division_code,
        versions.area_type,
        versions.applied_for,
        versions.applied_on,
        versions.checked_on,
        versions.household_size,
        versions.monthly_income_per_capita,
        versions.assets_over_limit,
        versions.result,
        versions.refusal_reason,
        versions.authorisation_no,
        versions._area_code,
        versions._valid_from,
        versions._valid_from as _data_date,
        versions._load_id,
        versions._row_no
    from versions
    where {{ holds('versions') }}
)

select * from final
