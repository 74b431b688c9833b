-- What has been handed out to whom, about whom. Rows are added, and stay as they are; each holds the hash of the one
-- before it, so that a change of the past shows even where somebody has got round the trigger.

create table if not exists ops.declaration (
    sha256 text primary key,
    recipient text not null,
    content text not null,
    noted_at timestamptz not null default now(),
    check (sha256 = encode(sha256(convert_to(content, 'UTF8')), 'hex'))
);
comment on table ops.declaration is 'Every declaration under which something was handed out, whole, by its hash.';

create table if not exists ops.disclosure (
    disclosure_id bigint primary key check (disclosure_id > 0),
    recipient text not null,
    purpose text not null,
    legal_basis text not null,
    declaration_sha256 text not null references ops.declaration,
    columns jsonb not null,
    build_id bigint not null,
    as_of date not null,
    file_name text not null,
    file_sha256 text not null,
    rows bigint not null,
    persons bigint not null,
    persons_sha256 text not null,
    disclosed_at timestamptz not null,
    previous_hash text not null unique,
    hash text not null unique
);
comment on table ops.disclosure is 'Every file handed out: to whom, for what, under which declaration, with which columns.';
comment on column ops.disclosure.disclosure_id is 'Counts from 1 without a gap: a number that is missing was removed.';
comment on column ops.disclosure.columns is 'In the order of the file: [{"name", "heading", "treatment"}].';
comment on column ops.disclosure.persons_sha256 is 'Of the 16-byte person_ids in ascending order.';
comment on column ops.disclosure.previous_hash is 'The hash of the disclosure before; 64 zeros in the first.';
comment on column ops.disclosure.hash is 'SHA-256 of previous_hash, a line feed and ops.disclosure_text.';

-- Asked by person; a foreign key would look up its disclosure once for every row.
create table if not exists ops.disclosed_person (
    person_id uuid not null,
    disclosure_id bigint not null,
    primary key (person_id, disclosure_id)
);
comment on table ops.disclosed_person is 'The people that a file is about, each once.';

-- The one way to write a disclosure down for its hash; whoever checks the chain elsewhere makes the same text.
create or replace function ops.disclosure_text(disclosure ops.disclosure) returns text
language sql stable parallel safe
return json_build_array(
    disclosure.disclosure_id,
    disclosure.recipient,
    disclosure.purpose,
    disclosure.legal_basis,
    disclosure.declaration_sha256,
    disclosure.columns::text,
    disclosure.build_id,
    to_char(disclosure.as_of, 'YYYY-MM-DD'),
    disclosure.file_name,
    disclosure.file_sha256,
    disclosure.rows,
    disclosure.persons,
    disclosure.persons_sha256,
    to_char(disclosure.disclosed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
)::text;

create or replace function ops.disclosure_hash(disclosure ops.disclosure) returns text
language sql stable parallel safe
return encode(
    sha256(convert_to(disclosure.previous_hash || chr(10) || ops.disclosure_text(disclosure), 'UTF8')), 'hex'
);

create or replace trigger append_only before update or delete or truncate on ops.declaration
for each statement execute function ops.refuse_change();
create or replace trigger append_only before update or delete or truncate on ops.disclosure
for each statement execute function ops.refuse_change();
create or replace trigger append_only before update or delete or truncate on ops.disclosed_person
for each statement execute function ops.refuse_change();
