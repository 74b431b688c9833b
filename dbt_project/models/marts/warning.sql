-- The life cycle: each run takes the warnings that stood before it, and opens, keeps or closes. What an earlier run of
-- the same date closed counts as standing, so that the last run of a date decides. A warning about nobody whom the
-- night touches goes on as it stands: only that it was seen again is written, and whether its day has passed.
{{ config(
    incremental_strategy='changes',
    unique_key='warning_id',
    full_refresh=false,
    post_hook=[
        "{{ leave_room() }}",
        "{{ warnings_still_standing() }}",
        "{{ index_kept('standing', '(indicator_code, subject_id) where closed_on is null', unique=true) }}",
        "{{ index_kept('person', '(person_id)') }}",
        "{{ index_kept('trend', '(indicator_code, opened_on, closed_on, county_code)') }}",
        "{{ index_kept('due', '(due_on)') }}",
        "{{ index_kept('muted', '(muted_until)') }}",
        "{{ index_kept('division', '(division_code text_pattern_ops)') }}",
        "{{ analyze_kept() }}",
    ],
) }}

with

signal as (
    select *
    from {{ ref('int_signal') }}
),

visit as (
    select *
    from {{ ref('stg_household_visit') }}
),

level as (
    select *
    from {{ ref('level') }}
),

working_day as (
    select *
    from {{ source('reference', 'working_day') }}
),

previous as (
    {{ previous_warnings() }}
),

finding as (
    select distinct on (upper(warning_id))
        upper(warning_id) as warning_id,
        visited_on,
        finding,
        refer_to
    from visit
    where visited_on <= {{ as_of() }}
    order by
        upper(warning_id),
        visited_on desc,
        _valid_from desc
),

standing as (
    select
        previous.warning_id,
        previous.indicator_code,
        previous.scope,
        previous.subject_id,
        previous.person_id,
        previous.household_id,
        previous.county_code,
        previous.division_code,
        previous.level,
        previous.lead_department,
        previous.opened_on,
        previous.last_seen_on,
        previous.due_on,
        previous.fact_on,
        previous.evidence,
        finding.visited_on,
        finding.finding,
        finding.refer_to
    from previous
    left join finding
        on previous.warning_id = finding.warning_id
    where
        previous.opened_on <= {{ as_of() }}
        and (previous.closed_on is null or previous.closed_on >= {{ as_of() }})
        and {{ is_touched('previous.person_id') }}
),

-- A visit that found nothing silences the indicator for that subject, unless the level has risen since, or a later
-- visit or a correction says otherwise.
muted as (
    select
        previous.indicator_code,
        previous.subject_id,
        min(level.rank) as level_rank
    from previous
    inner join finding
        on previous.warning_id = finding.warning_id
    inner join level
        on previous.level = level.level
    where
        previous.status = 'not_confirmed'
        and previous.closed_on < {{ as_of() }}
        and previous.muted_until >= {{ as_of() }}
        and {{ is_touched('previous.person_id') }}
        and finding.finding = 'not_confirmed'
    group by
        previous.indicator_code,
        previous.subject_id
),

loud as (
    select signal.*
    from signal
    left join muted
        on signal.indicator_code = muted.indicator_code
        and signal.subject_id = muted.subject_id
    where
        muted.subject_id is null
        or signal.level_rank < muted.level_rank
),

met as (
    select
        coalesce(standing.indicator_code, loud.indicator_code) as indicator_code,
        coalesce(standing.subject_id, loud.subject_id) as subject_id,
        coalesce(loud.scope, standing.scope) as scope,
        coalesce(loud.person_id, standing.person_id) as person_id,
        coalesce(loud.household_id, standing.household_id) as household_id,
        coalesce(loud.county_code, standing.county_code) as county_code,
        coalesce(loud.division_code, standing.division_code) as division_code,
        coalesce(loud.level, standing.level) as level,
        coalesce(loud.lead_department, standing.lead_department) as lead_department,
        coalesce(loud.fact_on, standing.fact_on) as fact_on,
        coalesce(loud.evidence, standing.evidence) as evidence,
        standing.warning_id,
        coalesce(standing.opened_on, {{ as_of() }}) as opened_on,
        case when loud.subject_id is null then standing.last_seen_on else {{ as_of() }} end as last_seen_on,
        case
            when loud.subject_id is null then 'cleared'
            when standing.finding = 'not_confirmed' then 'not_confirmed'
            when standing.finding = 'confirmed' then 'visited'
            when standing.finding = 'refer' then 'referred'
            when standing.finding = 'resolved' then 'resolved'
            else 'open'
        end as status,
        -- A deadline once given stays, unless the level changes.
        case when standing.level = coalesce(loud.level, standing.level) then standing.due_on end as due_on,
        loud.deadline_working_days,
        loud.mute_days,
        standing.visited_on,
        standing.refer_to
    from standing
    full join loud
        on standing.indicator_code = loud.indicator_code
        and standing.subject_id = loud.subject_id
),

dated as (
    select
        met.*,
        coalesce(met.due_on, due_day.date) as due_by,
        case when met.status in ('cleared', 'not_confirmed') then {{ as_of() }} end as closed_on
    from met
    left join working_day as opening_day
        on met.opened_on = opening_day.date
    left join working_day as due_day
        on opening_day.working_day_no + met.deadline_working_days = due_day.working_day_no
        and due_day.is_working_day
),

final as (
    select
        coalesce(warning_id, {{ warning_id('indicator_code', 'subject_id', 'opened_on') }}) as warning_id,
        indicator_code,
        scope,
        subject_id,
        person_id,
        household_id,
        county_code,
        division_code,
        level,
        lead_department,
        opened_on,
        last_seen_on,
        closed_on,
        status,
        due_by as due_on,
        closed_on is null and status in ('open', 'visited') and due_by < {{ as_of() }} as is_overdue,
        visited_on,
        refer_to as referred_to,
        case when status = 'not_confirmed' then closed_on + mute_days end as muted_until,
        fact_on,
        evidence
    from dated
    {% if var('history_schema') and not is_incremental() %}
    union all
    -- What was closed by then: in the present it stands in the table already, and reports of the date count it.
    select
        warning_id,
        indicator_code,
        scope,
        subject_id,
        person_id,
        household_id,
        county_code,
        division_code,
        level,
        lead_department,
        opened_on,
        last_seen_on,
        closed_on,
        status,
        due_on,
        is_overdue,
        visited_on,
        referred_to,
        muted_until,
        fact_on,
        evidence
    from previous
    where closed_on < {{ as_of() }}
    {% endif %}
)

select * from final
