with

versions as (
    {{ versions_of('medical_assistance') }}
),

final as (
    select
        versions._county_code,
        versions.settlement_no,
        versions.name,
        versions.citizen_id,
        versions.division_code,
        versions.visit_kind,
        versions.disease,
        versions.major_illness,
        versions.settled_on,
        versions.total_cost,
        versions.basic_paid,
        versions.serious_paid,
        versions.aid_paid,
        versions.self_paid,
        versions.insured,
        versions._area_code,
        versions._valid_from,
        versions._valid_from as _data_date,
        versions._load_id,
        versions._row_no
    from versions
    where {{ holds('versions') }}
)

select * from final
