-- Every version known on the date; the last one of a record stays open, as nobody knew its end then.
with

versions as (
    {{ versions_of('special_hardship') }}
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
        case when versions._valid_to <= {{ as_of() }} then versions._valid_to else 'infinity' end as _valid_to,
        versions._load_id,
        versions._row_no
    from versions
    where versions._valid_from <= {{ as_of() }}
)

select * from final
