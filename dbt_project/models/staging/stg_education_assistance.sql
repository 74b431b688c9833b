with

versions as (
    {{ versions_of('education_assistance') }}
),

snapshots as (
    {{ latest_snapshots('education_assistance') }}
),

final as (
    select
        versions._county_code,
        versions.student_no,
        versions.name,
        versions.citizen_id,
        versions.division_code,
        versions.guardian_citizen_id,
        versions.school,
        versions.stage,
        versions.enrolment,
        versions.term,
        versions.aid_kind,
        versions.aid_amount,
        versions.self_paid,
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
