-- The ledger for those who watch it and may not read it: states, dates and counts. No message and no name of a file, as
-- departments put people's names into both. Each view shows a reader of an area what was sent for it or a part of it.

drop view if exists ops.check_health, ops.refused_row_health, ops.feed_health, ops.load_health, access.own_scope;

-- The beginnings of the area codes that the account asking may see; an empty one is the beginning of all.
create view access.own_scope as
select '' as scope
where pg_has_role(current_user, 'doudi_owner', 'usage')
union all
select coalesce(reader.scope, '')
from access.reader as reader
where reader.kind in ('bi', 'area') and pg_has_role(current_user, reader.role, 'usage');

create view ops.load_health with (security_barrier) as
with
open_rows as (
    select
        load_id,
        count(*) as refused_rows
    from ops.quarantine
    where status = 'open'
    group by load_id
),

failed_checks as (
    select
        load_id,
        count(*) as checks
    from ops.check_result
    where not success
    group by load_id
)

select
    load.load_id,
    load.feed,
    feed.title as feed_title,
    feed.department,
    load.area_code,
    load.data_date,
    load.mode,
    load.replays_load_id is not null as is_replay,
    load.status,
    load.error_code,
    load.status in ('refused', 'failed') and not exists (
        select
        from ops.load as later
        where
            later.feed = load.feed
            and later.status = 'published'
            and load.area_code ^@ later.area_code
            and later.data_date >= load.data_date
    ) as is_unresolved,
    load.rows_read,
    load.rows_published,
    load.rows_unchanged,
    load.rows_quarantined,
    load.rows_ended,
    coalesce(open_rows.refused_rows, 0) as open_refused_rows,
    coalesce(failed_checks.checks, 0) as failed_checks,
    coalesce(jsonb_array_length(load.notes -> 'columns_kept_out'), 0) as columns_kept_out,
    load.attempts,
    load.received_at,
    load.started_at,
    load.finished_at,
    round(extract(epoch from load.finished_at - load.started_at), 1) as seconds
from ops.load as load
left join ops.feed as feed on load.feed = feed.feed
left join open_rows on load.load_id = open_rows.load_id
left join failed_checks on load.load_id = failed_checks.load_id
where exists (select from access.own_scope as own where load.area_code ^@ own.scope);
comment on view ops.load_health is
'Every delivery: what became of it, by which rule, and its rows, read = published + unchanged + quarantined.';
comment on column ops.load_health.error_code is 'The rule by which it was refused, as docs/architecture.md lists them.';
comment on column ops.load_health.is_unresolved is
'Refused or failed, and nothing for the same day or a later one has come in its place.';
comment on column ops.load_health.columns_kept_out is 'Columns that no contract knows; they were not taken in.';
comment on column ops.load_health.seconds is 'From its start to its end, of its last attempt.';

-- What comes, from where, and whether it is late: the one home of that rule. Of each area that has ever sent a feed the
-- next delivery is due when the contract's cadence has passed since the last data date; what an area around it sends
-- counts for it. Judged on the day in doudi.as_of, else that of the last build begun, else today.
create view ops.feed_health with (security_barrier) as
with
judged as (
    select
        coalesce(
            nullif(current_setting('doudi.as_of', true), '')::date,
            (select build.as_of from ops.build as build where schema_suffix = '' order by build_id desc limit 1),
            current_date
        ) as judged_on
),

last_published as (
    select distinct on (feed, area_code)
        feed,
        area_code,
        load_id,
        data_date,
        finished_at
    from ops.load
    where status = 'published' and replays_load_id is null
    order by feed, area_code, data_date desc, load_id desc
),

last_of_area as (
    select distinct on (sender.feed, sender.area_code)
        sender.feed,
        sender.area_code,
        covering.load_id,
        covering.data_date,
        covering.finished_at
    from last_published as sender
    inner join last_published as covering
        on sender.feed = covering.feed and sender.area_code ^@ covering.area_code
    order by sender.feed, sender.area_code, covering.data_date desc, covering.load_id desc
),

open_rows as (
    select
        load.feed,
        load.area_code,
        count(*) as refused_rows
    from ops.quarantine as quarantine
    inner join ops.load as load on quarantine.load_id = load.load_id
    where quarantine.status = 'open'
    group by load.feed, load.area_code
),

refused as (
    select
        feed,
        area_code,
        count(*) as deliveries
    from ops.load_health
    where is_unresolved
    group by feed, area_code
),

known as (
    select
        feed,
        area_code
    from last_of_area
    union
    select
        feed,
        area_code
    from refused
)

select
    feed.feed,
    feed.title as feed_title,
    feed.department,
    feed.cadence,
    known.area_code,
    last.load_id as last_load_id,
    last.data_date as last_data_date,
    last.finished_at as last_published_at,
    due.due_on,
    judged.judged_on,
    greatest(judged.judged_on - due.due_on, 0) as late_days,
    case
        when last.load_id is null then 'never_came'
        when due.due_on < judged.judged_on then 'late'
        else 'in_time'
    end as state,
    coalesce(refused.deliveries, 0) as unresolved_refusals,
    coalesce(open_rows.refused_rows, 0) as open_refused_rows
from ops.feed as feed
cross join judged
left join known on feed.feed = known.feed
left join last_of_area as last on known.feed = last.feed and known.area_code = last.area_code
left join open_rows on known.feed = open_rows.feed and known.area_code = open_rows.area_code
left join refused on known.feed = refused.feed and known.area_code = refused.area_code
cross join lateral (select (last.data_date + feed.cadence::interval)::date as due_on) as due
where exists (select from access.own_scope as own where coalesce(known.area_code, '') ^@ own.scope);
comment on view ops.feed_health is
'Each feed by area: its last delivery, when the next is due, and what waits. Of a feed that never came one row.';
comment on column ops.feed_health.cadence is 'How often its contract has it come.';
comment on column ops.feed_health.due_on is 'The last data date and the cadence; late from the day after.';
comment on column ops.feed_health.judged_on is 'The day on which that is judged: of the last build begun, as a rule.';
comment on column ops.feed_health.state is 'in_time, late or never_came.';
comment on column ops.feed_health.unresolved_refusals is
'Deliveries refused or failed in whose place nothing for the same day or a later one has come.';

create view ops.refused_row_health with (security_barrier) as
select
    load.load_id,
    load.feed,
    load.area_code,
    load.data_date,
    quarantine.rule,
    quarantine.column_name,
    quarantine.status,
    count(*) as refused_rows,
    min(quarantine.quarantined_at) as first_refused_at
from ops.quarantine as quarantine
inner join ops.load as load on quarantine.load_id = load.load_id
where exists (select from access.own_scope as own where load.area_code ^@ own.scope)
group by load.load_id, quarantine.rule, quarantine.column_name, quarantine.status;
comment on view ops.refused_row_health is 'How many rows of each delivery each rule has refused, and what became of them.';
comment on column ops.refused_row_health.status is 'open, replayed or discarded.';

create view ops.check_health with (security_barrier) as
select
    load.load_id,
    load.feed,
    load.area_code,
    load.data_date,
    result.rule,
    result.column_name,
    result.severity,
    result.success,
    result.evaluated as rows_judged,
    result.unexpected as rows_against,
    result.checked_at
from ops.check_result as result
inner join ops.load as load on result.load_id = load.load_id
where exists (select from access.own_scope as own where load.area_code ^@ own.scope);
comment on view ops.check_health is 'What each rule of a suite said of each delivery.';
comment on column ops.check_health.severity is 'stop: rows against it are refused; warn: it is only told.';
comment on column ops.check_health.rows_judged is 'Empty of a rule about a delivery as a whole, and so is rows_against.';
