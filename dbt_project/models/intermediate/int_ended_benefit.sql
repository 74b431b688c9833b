-- Benefits of minimum allowance and special hardship that ended within the look-back months: on the end date, or on the
-- day of the first list without the record, whichever came earlier. A record counts only if somebody was covered by it
-- on some day before, and a correction of a record that stays on the list is no end. (A certificate of the allowance
-- has a record of each member, and `member_id` tells them apart.)
{{ config(indexes=[{'columns': ['household_id']}]) }}

with

minimum_allowance as (
    select *
    from {{ ref('stg_minimum_allowance__versions') }}
),

special_hardship as (
    select *
    from {{ ref('stg_special_hardship__versions') }}
),

member as (
    select *
    from {{ ref('int_household_member') }}
),

look_back as (
    {{ local_standard('look_back_months') }}
),

versions as not materialized (
    {% for feed, member_id in [('minimum_allowance', 'citizen_id'), ('special_hardship', "''")] %}
    select
        '{{ feed }}' as feed,
        certificate_no,
        citizen_id,
        {{ member_id }} as member_id,
        start_date,
        end_date,
        _county_code,
        _valid_from,
        _valid_to,
        _load_id,
        _row_no
    from {{ feed }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

over as (
    select
        versions.*,
        least(versions.end_date, versions._valid_to) as ended_on,
        case when versions.end_date <= versions._valid_to then 'end_date' else 'missing_from_list' end as ended_by
    from versions
    where
        versions.end_date <= {{ as_of() }}
        or versions._valid_to <= {{ as_of() }}
),

ended as (
    select
        member.person_id,
        member.household_id,
        member.county_code,
        over.*
    from over
    inner join member
        on over.citizen_id = member.citizen_id
    inner join look_back
        on member.standard_area = look_back.standard_area
    where {{ within_months('over.ended_on', 'look_back.value') }}
),

final as (
    select ended.*
    from ended
    where
        not exists (
            select 1
            from versions as later
            where
                later.feed = ended.feed
                and later._county_code = ended._county_code
                and later.certificate_no = ended.certificate_no
                and later.member_id = ended.member_id
                and later._valid_from = ended._valid_to
        )
        and exists (
            select 1
            from versions as earlier
            where
                earlier.feed = ended.feed
                and earlier._county_code = ended._county_code
                and earlier.certificate_no = ended.certificate_no
                and earlier.member_id = ended.member_id
                and earlier._valid_from <= ended._valid_from
                and greatest(earlier.start_date, earlier._valid_from) <= least(earlier.end_date, earlier._valid_to - 1)
        )
)

select * from final
