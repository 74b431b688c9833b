with

versions as (
    {{ versions_of('minimum_allowance') }}
),

snapshots as (
    {{ latest_snapshots('minimum_allowance') }}
),

final as (
    select
        versions._county_code,
        versions.certificate_no,
        versions.head_name,
        versions.head_citizen_id,
        versions.name,
        versions.citizen_id,
        versions.relation_to_head,
        versions.category,
        versions.area_type,
        versions.division_code,
        versions.household_size,
        versions.covered_members,
        versions.monthly_income_per_capita,
        versions.monthly_amount,
        versions.cause,
        versions.single_person_household,
        versions.start_date,
        versions.end_date,
        versions.gradual_exit_until,
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
