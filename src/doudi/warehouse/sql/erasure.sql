-- Whose data were erased, so that old deliveries leave them out and restored backups are erased again. No citizen ID is
-- in it. The same stands in DOUDI_HOME/erasures.jsonl, which a restore does not take back.

create table if not exists ops.erasure (
    erasure_id uuid primary key,
    id_hashes text[] not null check (id_hashes <> '{}'),
    erased_on date not null,
    erased_at timestamptz not null,
    erased_by text not null check (erased_by <> ''),
    account_name text not null,
    reason text not null check (reason <> ''),
    counts jsonb not null,
    archived_load_ids bigint[] not null,
    recipients text[] not null
);
comment on table ops.erasure is 'Every erasure of a person''s data: when, on whose word, why, and how much went.';
comment on column ops.erasure.id_hashes is
'HMAC-SHA-256 of each citizen ID that counted as the person''s, under the key of identifiers.';
comment on column ops.erasure.erased_on is 'Deliveries for this day or one before it leave the person out.';
comment on column ops.erasure.erased_by is 'Who decided it.';
comment on column ops.erasure.account_name is 'Whose account on the machine did it.';
comment on column ops.erasure.counts is 'Rows by the place that they were removed from or altered in.';
comment on column ops.erasure.archived_load_ids is
'The deliveries whose archived files have lines of the person, as far as the register and the quarantine tell.';
comment on column ops.erasure.recipients is 'Who had been handed out data of the person.';

create or replace trigger append_only before update or delete or truncate on ops.erasure
for each statement execute function ops.refuse_change();
