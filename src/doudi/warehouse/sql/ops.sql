-- The ledger: what came, what became of it, what was built from it and what was handed out.

create table if not exists ops.feed (
    feed text primary key,
    title text not null,
    department text not null,
    mode text not null,
    cadence text not null
);
comment on table ops.feed is 'The feeds that have a contract, as far as the views on the ledger need it.';
comment on column ops.feed.cadence is 'How often it has to come, an interval.';

create table if not exists ops.load (
    load_id bigint generated always as identity primary key,
    feed text not null,
    area_code text not null,
    data_date date not null,
    sequence integer not null default 0,
    file_name text not null,
    source_uri text not null,
    source_modified_at timestamptz not null,
    sha256 text not null,
    size_bytes bigint not null,
    archive_path text not null,
    archive_removed_at timestamptz, -- past its time in retention.yml, the file is no longer where archive_path says
    encoding text,
    contract_version text,
    mode text not null check (mode in ('snapshot', 'events')),
    status text not null default 'received'
        check (status in ('received', 'landed', 'published', 'superseded', 'refused', 'failed')),
    rows_read bigint,
    rows_published bigint,
    rows_unchanged bigint,
    rows_quarantined bigint,
    rows_ended bigint,
    line_offset integer,
    manifest jsonb,
    control_totals_declared jsonb,
    control_totals_actual jsonb,
    timings jsonb not null default '{}',
    attempts integer not null default 0,
    received_at timestamptz not null default now(),
    started_at timestamptz,
    finished_at timestamptz,
    error_code text,
    error text,
    unique (feed, area_code, data_date, sha256),
    check (status <> 'published' or rows_read = rows_published + rows_unchanged + rows_quarantined)
);
-- replays_load_id: set where the load is no delivery of its own but rows replayed from the quarantine of another
-- headings: of each part of the delivery (under '' where it is one thing) the headings as sent, in their order
-- notes: what is worth telling of a delivery that was taken in, such as columns_kept_out, the headings no contract knows,
-- and lines_not_filled_in, the lines of a list that came back without an answer
-- Asked first, here and below, since altering a table waits for all who read it.
do $$
begin
    if not exists (select from pg_attribute where attrelid = 'ops.load'::regclass and attname = 'notes') then
        alter table ops.load
        add column if not exists replays_load_id bigint references ops.load,
        add column if not exists headings jsonb not null default '{}',
        add column if not exists notes jsonb not null default '{}';
    end if;
end
$$;
create index if not exists load_by_state on ops.load (feed, status, data_date);
comment on table ops.load is 'Every delivery ever seen, one row each.';

-- No key and no index: a delivery may touch a million people, and a build reads them all and forgets them.
create table if not exists ops.touched_person (
    load_id bigint not null,
    citizen_id text
);
comment on table ops.touched_person is
'Of whom a published delivery changed a record, until a build has taken it in; empty citizen ID: of all whom it names.';

create table if not exists ops.load_source (
    source_uri text not null,
    size_bytes bigint not null,
    source_modified_at timestamptz not null,
    load_id bigint not null references ops.load,
    primary key (source_uri, size_bytes, source_modified_at)
);
comment on table ops.load_source is 'Every address that a delivery has come from: one delivery may have many.';

create table if not exists ops.quarantine (
    load_id bigint not null references ops.load,
    feed text not null,
    row_no bigint not null,
    line_no bigint not null,
    column_name text,
    rule text not null,
    reason text not null,
    faults jsonb not null,
    raw jsonb not null,
    status text not null default 'open' check (status in ('open', 'replayed', 'discarded')),
    quarantined_at timestamptz not null default now(),
    values_removed_at timestamptz, -- past its time in retention.yml, the text of a closed row is no longer in raw
    primary key (load_id, row_no)
);
-- part: the member of an archive and the sheet of a workbook that the row came in; null where the file is one thing
-- replay_load_id: the load that took the row in again; its own quarantine tells where that was refused too
do $$
begin
    if not exists (
        select from pg_attribute where attrelid = 'ops.quarantine'::regclass and attname = 'discarded_at'
    ) then
        alter table ops.quarantine
        add column if not exists part text,
        add column if not exists replay_load_id bigint references ops.load,
        add column if not exists discard_reason text,
        add column if not exists discarded_by text,
        add column if not exists discarded_at timestamptz;
    end if;
end
$$;
create index if not exists quarantine_by_replay on ops.quarantine (replay_load_id);
comment on table ops.quarantine is 'Every refused row with its text as it came; the first of its faults names the rule.';

create table if not exists ops.check_result (
    load_id bigint not null references ops.load,
    suite text not null,
    rule text not null,
    expectation text not null,
    column_name text,
    severity text not null check (severity in ('stop', 'warn')),
    success boolean not null,
    evaluated bigint,
    unexpected bigint,
    observed jsonb,
    checked_at timestamptz not null default now()
);
create index if not exists check_result_by_load on ops.check_result (load_id);
comment on table ops.check_result is 'What each expectation said of each delivery; never a value of a row.';

create table if not exists ops.build (
    build_id bigint generated always as identity primary key,
    as_of date not null,
    schema_suffix text not null default '',
    status text not null default 'running' check (status in ('running', 'succeeded', 'failed')),
    load_ids bigint[] not null default '{}',
    models integer,
    tests integer,
    timings jsonb not null default '{}',
    started_at timestamptz not null default now(),
    finished_at timestamptz,
    error text
);
comment on table ops.build is 'Every build of the marts; load_ids are the published loads it took in first.';

create table if not exists ops.extract (
    extract_id bigint generated always as identity primary key,
    build_id bigint not null references ops.build,
    recipient text not null,
    declaration_sha256 text not null,
    as_of date not null,
    file_name text not null,
    rows bigint not null,
    sha256 text not null,
    written_at timestamptz not null default now(),
    unique (recipient, build_id, file_name)
);
-- the recipient's folder that the files of one consignment share, and where it lies: 'connection' or a path of ours
alter table ops.extract add column if not exists folder text not null default '';
alter table ops.extract add column if not exists destination text not null default '';
-- prepared: lies ready with us; withdrawn: its declaration changed before it went out; lost: it was gone from our disk;
-- removed: it was delivered, and our copy of it is past its time
alter table ops.extract add column if not exists state text not null default 'delivered'
    check (state in ('prepared', 'delivered', 'withdrawn', 'lost', 'removed'));
alter table ops.extract add column if not exists size_bytes bigint;
alter table ops.extract add column if not exists plain_sha256 text; -- before it was encrypted
alter table ops.extract add column if not exists retention_days integer;
alter table ops.extract add column if not exists delivered_at timestamptz;
alter table ops.extract add column if not exists removed_at timestamptz;
-- a second consignment of one build, under another declaration, has a folder of its own
alter table ops.extract drop constraint if exists extract_recipient_build_id_file_name_key;
create unique index if not exists extract_by_folder on ops.extract (recipient, folder, file_name) where folder <> '';
comment on table ops.extract is 'Every file handed out, under which declaration and from which build.';

create table if not exists ops.extract_row (
    recipient text not null,
    key text[] not null,
    row_hash uuid not null,
    primary key (recipient, key)
);
comment on table ops.extract_row is 'What a recipient of changes has: each row by its key as handed out, and a hash.';

create table if not exists ops.failure (
    failure_id bigint generated always as identity primary key,
    dag text not null,
    task text not null,
    run text not null,
    attempt integer not null,
    error text not null,
    message text not null,
    failed_at timestamptz not null default now()
);
comment on table ops.failure is 'Every task that failed for good; the message is empty where it is not of our own making.';

create table if not exists ops.alert (
    alert_id bigint generated always as identity primary key,
    channel text not null,
    kind text not null,
    subjects integer not null,
    sent_at timestamptz not null default clock_timestamp(),
    error text
);
comment on table ops.alert is 'Every message to those who run the warehouse, and what kept it from going out.';
comment on column ops.alert.error is 'The class of the error; empty where the channel took the message.';

create table if not exists ops.maintenance (
    maintenance_id bigint generated always as identity primary key,
    started_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    policy_sha256 text not null,
    outcomes jsonb not null default '[]'
);
comment on table ops.maintenance is 'Every time that retention.yml was carried out; without an end, it was cut off.';
comment on column ops.maintenance.policy_sha256 is 'Of retention.yml as it was then.';
comment on column ops.maintenance.outcomes is 'By rule, how many things were removed, their bytes, and what was left.';

create table if not exists ops.alert_told (
    channel text not null,
    kind text not null,
    subject text not null,
    level integer not null,
    told_at timestamptz not null default clock_timestamp(),
    primary key (channel, kind, subject)
);
comment on table ops.alert_told is 'What each channel was told and still stands, so that nobody is told the same again.';
comment on column ops.alert_told.level is 'How bad it was when it was told; what has become worse is told again.';

create table if not exists ops.identifier_key (
    fingerprint text not null,
    noted_at timestamptz not null default now(),
    only_one boolean primary key default true check (only_one)
);
comment on table ops.identifier_key is
'Which key makes the identifiers of people, households and warnings; the key itself is not in the database.';
comment on column ops.identifier_key.fingerprint is 'Empty where identifiers have been made without a key since before.';

-- What identifiers are cut from: an HMAC-SHA-256 under the key that the session was started with. The setting holds the
-- two blocks that the key is mixed with by RFC 2104, in hexadecimals; it is empty for a warehouse without a key, and an
-- error where it is not set at all, so that nobody makes identifiers of another kind by accident.
create or replace function ops.keyed_hash(content text) returns bytea
language sql stable parallel safe
return case
    when current_setting('doudi.identifier_key') = '' then sha256(convert_to(content, 'UTF8'))
    else sha256(
        substring(decode(current_setting('doudi.identifier_key'), 'hex') from 65)
        || sha256(
            substring(decode(current_setting('doudi.identifier_key'), 'hex') from 1 for 64)
            || convert_to(content, 'UTF8')
        )
    )
end;
