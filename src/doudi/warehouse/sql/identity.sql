-- Who is who where the registers alone cannot say: what is proposed, what people decided, and the joins that follow.

-- A name as names are compared: no spaces, and one kind of dot between the parts of a minority's name.
create or replace function ops.person_name(value text) returns text
language sql immutable parallel safe
return translate(value, '•・．.‧∙ 　', '······');

-- What a slip of the hand makes of what was meant, where it is one: replaced, transposed, missing or surplus, each of
-- one character (two neighbours where transposed); null where the two are equal or further apart.
create or replace function ops.one_edit(written text, meant text) returns text
language plpgsql immutable strict parallel safe
as $$
declare
    longer integer := length(written) - length(meant);
    same integer := 0;
begin
    if written = meant or abs(longer) > 1 then
        return null;
    end if;
    while substr(written, same + 1, 1) = substr(meant, same + 1, 1) loop
        same := same + 1;
    end loop;
    return case
        when longer = 1 and substr(written, same + 2) = substr(meant, same + 1) then 'surplus'
        when longer = -1 and substr(written, same + 1) = substr(meant, same + 2) then 'missing'
        when longer <> 0 then null
        when substr(written, same + 2) = substr(meant, same + 2) then 'replaced'
        when
            substr(written, same + 1, 2) = reverse(substr(meant, same + 1, 2))
            and substr(written, same + 3) = substr(meant, same + 3)
            then 'transposed'
    end;
end
$$;

-- The same of a citizen ID; one that was written in the old form of 15 digits is held against the old form.
create or replace function ops.citizen_id_edit(written text, meant text) returns text
language sql immutable strict parallel safe
return case
    when length(written) between 14 and 16 then ops.one_edit(written, left(meant, 6) || substr(meant, 9, 9))
    else ops.one_edit(written, meant)
end;

-- What a proposal and the decisions about it are about, as one key: a pair is the same whichever of the two is kept.
create or replace function ops.review_subject(
    load_id bigint, row_no bigint, column_name text, citizen_id text, other_id text
) returns text
language sql immutable parallel safe
return case
    when other_id is null then load_id::text || '-' || row_no::text || '-' || column_name || '-' || citizen_id
    else least(citizen_id, other_id) || '-' || greatest(citizen_id, other_id)
end;

create table if not exists identity.review (
    review_no bigint generated always as identity primary key,
    kind text not null check (kind in ('row', 'pair')),
    load_id bigint references ops.load,
    row_no bigint,
    column_name text,
    citizen_id text not null,
    other_id text,
    county_code text not null,
    score numeric(3, 2) not null check (score between 0 and 1),
    reasons jsonb not null,
    proposed_at timestamptz not null default now(),
    check ((kind = 'row') = (load_id is not null and row_no is not null and column_name is not null)),
    check ((kind = 'pair') = (other_id is not null))
);
alter table identity.review add column if not exists subject text not null
generated always as (ops.review_subject(load_id, row_no, column_name, citizen_id, other_id)) stored;
create unique index if not exists review_by_subject on identity.review (subject);
comment on table identity.review is
'Proposals for somebody to decide: whose a refused row most likely is, and pairs that look like one person.';
comment on column identity.review.load_id is 'Of a row: the load that refused it, and below its number there.';
comment on column identity.review.column_name is 'Of a row: the contract''s column with the unusable citizen ID.';
comment on column identity.review.citizen_id is 'Of a row: whose it most likely is. Of a pair: the one to be kept.';
comment on column identity.review.other_id is 'Of a pair: the ID that would count as the first.';
comment on column identity.review.score is '0 to 1, see docs/identity.md.';
comment on column identity.review.reasons is 'What speaks for it and against it: a list of reason and weight.';

create table if not exists ops.identity_decision (
    decision_id bigint generated always as identity primary key,
    kind text not null check (kind in ('row', 'pair')),
    load_id bigint references ops.load,
    row_no bigint,
    column_name text,
    citizen_id text not null,
    other_id text,
    decision text not null check (decision in ('accept', 'reject', 'undo')),
    reason text not null check (reason <> ''),
    score numeric(3, 2) not null,
    reasons jsonb not null,
    decided_by text not null,
    decided_at timestamptz not null default clock_timestamp()
);
alter table ops.identity_decision add column if not exists subject text not null
generated always as (ops.review_subject(load_id, row_no, column_name, citizen_id, other_id)) stored;
create index if not exists identity_decision_by_subject on ops.identity_decision (subject, decision_id);
comment on table ops.identity_decision is
'Who decided what about a proposal, when and why. Rows are only ever added; the last one of a proposal holds.';
comment on column ops.identity_decision.citizen_id is 'Of a pair: the one that is kept, as was decided.';

create or replace function ops.refuse_change() returns trigger
language plpgsql
as $$
begin
    raise exception 'rows of % are only ever added', tg_table_name;
end
$$;
create or replace trigger identity_decision_stays
before update or delete or truncate on ops.identity_decision
for each statement execute function ops.refuse_change();

create table if not exists identity.joined_id (
    citizen_id text primary key,
    canonical_id text not null,
    check (citizen_id <> canonical_id)
);
comment on table identity.joined_id is
'The joins that are accepted: whatever is said of the first ID is said of the second. Follows from the decisions.';
