-- Who may use what: the steps' rights, the readers as access.yml declares them, and how a relation is opened to them.

create table if not exists access.reader (
    role name primary key,
    kind text not null check (kind in ('bi', 'area', 'department')),
    scope text,
    constraint reader_has_scope check (kind = 'bi' or scope is not null)
);
comment on table access.reader is 'The readers that access.yml declares.';
comment on column access.reader.scope is
'Of an area, and of BI for one: the beginning of its division codes. Of a department: its name.';

create table if not exists access.relation (
    relation text primary key,
    kinds text[] not null,
    area_column name,
    department_column name not null
);
comment on table access.relation is 'What access.yml opens, and to which kinds of readers.';
comment on column access.relation.area_column is
'Holds a row''s division code; an area reads what lies in it. Empty: it is about no area, and areas read every row.';
comment on column access.relation.department_column is 'Holds the department that leads; it reads what it leads.';

-- Warehouses made before 1.0 know BI for all only; asked first, since altering a table waits for all who read it.
do $$
begin
    if exists (
        select from pg_constraint where conrelid = 'access.reader'::regclass and conname = 'reader_check'
    ) then
        alter table access.reader drop constraint reader_check;
        alter table access.reader add constraint reader_has_scope check (kind = 'bi' or scope is not null);
        alter table access.relation alter column area_column drop not null;
    end if;
end
$$;

-- Who reads which rows of a relation: the steps that hand out and look after see every row. A condition is spelled as
-- PostgreSQL gives it back, so that what stands is known to be right without being made anew.
create or replace function access.entitled(relation regclass)
returns table (role name, condition text, columns text[])
language sql stable
set search_path = pg_catalog, pg_temp
begin atomic
    with place as (
        select
            namespace.nspname as schema,
            regexp_replace(namespace.nspname, '_as_of_[0-9]{8}$', '') || '.' || class.relname as declared
        from pg_class as class
        inner join pg_namespace as namespace on class.relnamespace = namespace.oid
        where class.oid = relation
    )
    select step.role::name, 'true', null::text[]
    from place
    cross join unnest('{doudi_owner,doudi_extractor}'::text[]) as step (role)
    where place.declared ~ '^(marts|identity)[.]'
    union all
    select 'doudi_loader', 'true', '{warning_id}' -- a visit is held against the warnings that there are
    from place
    where place.declared = 'marts.warning' and place.schema = 'marts'
    union all
    select
        reader.role,
        case
            when reader.kind = 'department' then format('(%I = %L::text)', opened.department_column, reader.scope)
            when reader.scope is null or opened.area_column is null then 'true'
            else format('(%I ^@ %L::text)', opened.area_column, reader.scope)
        end,
        null::text[]
    from place
    inner join access.relation as opened on place.declared = opened.relation
    inner join access.reader as reader
        on reader.kind = any(opened.kinds)
        and (reader.kind <> 'bi' or reader.scope is null or 'area' = any(opened.kinds))
    inner join pg_roles as roles on reader.role = roles.rolname
    where place.declared ~ '^(marts|ops)[.]';
end;

-- Makes the grants and row policies of a relation those that access.entitled gives, and no others: whoever was granted
-- something by hand loses it. Where all is right nothing is written and nobody waits. Called by dbt in the transaction
-- that makes a table (so there is no moment in which it stands open), by `doudi init` when declarations change. Runs
-- with the rights of its caller, who must own the relation.
create or replace function access.entitle(relation regclass) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    place name;
    is_table boolean;
    change text;
begin
    select namespace.nspname, class.relkind in ('r', 'p') into place, is_table
    from pg_class as class
    inner join pg_namespace as namespace on class.relnamespace = namespace.oid
    where class.oid = relation;
    if not is_table and place <> 'ops' then -- those of ops know by themselves whose a row is
        raise exception 'rows of % cannot be kept from a reader: it is no table', relation;
    end if;

    -- Two models of one new schema end at the same moment; the second would find the schema's rights half changed.
    if exists (
        select from access.entitled(relation) as wanted where not has_schema_privilege(wanted.role, place, 'usage')
    ) then
        perform pg_advisory_xact_lock(7202005);
        for change in
            select format('grant usage on schema %I to %I', place, wanted.role)
            from access.entitled(relation) as wanted
            where not has_schema_privilege(wanted.role, place, 'usage')
        loop
            execute change;
        end loop;
    end if;

    if is_table and not (select relrowsecurity from pg_class where oid = relation) then
        execute format('alter table %s enable row level security', relation);
    end if;

    for change in
        select format('drop policy %I on %s', policy.polname, relation)
        from pg_policy as policy
        where
            policy.polrelid = relation
            and not exists (
                select
                from access.entitled(relation) as wanted
                where
                    policy.polname = wanted.role
                    and policy.polcmd = 'r'
                    and policy.polpermissive
                    and policy.polroles = array[(select oid from pg_roles where rolname = wanted.role)]
                    and pg_get_expr(policy.polqual, policy.polrelid) = wanted.condition
            )
    loop
        execute change;
    end loop;
    for change in
        select
            format('create policy %I on %s for select to %I using (%s)', wanted.role, relation, wanted.role, condition)
        from access.entitled(relation) as wanted
        where is_table and not exists (select from pg_policy where polrelid = relation and polname = wanted.role)
    loop
        execute change;
    end loop;

    for change in
        with
        granted as (
            select acl.grantee, acl.privilege_type, null::text as column_name
            from pg_class as class
            cross join aclexplode(class.relacl) as acl
            where class.oid = relation and acl.grantee <> class.relowner
            union all
            select acl.grantee, acl.privilege_type, attribute.attname
            from pg_attribute as attribute
            cross join aclexplode(attribute.attacl) as acl
            where attribute.attrelid = relation and attribute.attnum > 0 and not attribute.attisdropped
        ),

        wanted as (
            select roles.oid as grantee, 'SELECT' as privilege_type, column_name
            from access.entitled(relation) as entitled
            inner join pg_roles as roles on entitled.role = roles.rolname
            left join unnest(entitled.columns) as column_name on true
        )

        select
            format(
                'revoke %s %s on %s from %s',
                granted.privilege_type,
                coalesce('(' || quote_ident(granted.column_name) || ')', ''),
                relation,
                case granted.grantee when 0 then 'public' else granted.grantee::regrole::text end
            )
        from granted
        where (granted.grantee, granted.privilege_type, coalesce(granted.column_name, '')) not in (
            select grantee, privilege_type, coalesce(column_name, '') from wanted
        )
        union all
        select
            format(
                'grant select %s on %s to %s',
                coalesce('(' || quote_ident(wanted.column_name) || ')', ''),
                relation,
                wanted.grantee::regrole
            )
        from wanted
        where (wanted.grantee, wanted.privilege_type, coalesce(wanted.column_name, '')) not in (
            select grantee, privilege_type, coalesce(column_name, '') from granted
        )
    loop
        execute change;
    end loop;
end
$$;

alter default privileges for role doudi_owner, doudi_loader, doudi_transformer
revoke execute on functions from public;
do $$
declare
    change text;
begin
    for change in
        select format('revoke all on routine %s from public', routine.oid::regprocedure)
        from pg_proc as routine
        where
            routine.pronamespace::regnamespace::text in ('ops', 'access')
            and exists (
                select
                from aclexplode(coalesce(routine.proacl, acldefault('f', routine.proowner))) as acl
                where acl.grantee = 0
            )
        union all
        select format('grant execute on routine %s to %s', routine.oid::regprocedure, role)
        from pg_proc as routine
        cross join unnest('{doudi_loader,doudi_transformer,doudi_extractor}'::text[]) as role
        where
            (
                routine.pronamespace = 'ops'::regnamespace
                or (routine.pronamespace = 'access'::regnamespace and role = 'doudi_transformer')
            )
            and not exists (
                select
                from aclexplode(routine.proacl) as acl
                where acl.grantee = role::regrole
            )
    loop
        execute change;
    end loop;
end
$$;

-- Each privilege is granted where it is missing only: a grant changes the catalogue, and may meet another's change of it.
do $$
declare
    missing record;
begin
    for missing in
        with wanted (role, relation, privileges) as (
            values
                ('doudi_loader', 'ops.load', '{select,insert,update}'::text[]),
                ('doudi_loader', 'ops.load_source', '{select,insert,update}'),
                ('doudi_loader', 'ops.quarantine', '{select,insert,update,delete}'),
                ('doudi_loader', 'ops.check_result', '{select,insert,delete}'),
                ('doudi_loader', 'ops.build', '{select}'),
                ('doudi_loader', 'ops.identity_decision', '{select,insert}'),
                ('doudi_loader', 'identity.review', '{select}'),
                ('doudi_loader', 'identity.joined_id', '{select}'),
                ('doudi_loader', 'ops.identifier_key', '{select}'),
                ('doudi_loader', 'ops.erasure', '{select}'),
                ('doudi_transformer', 'ops.erasure', '{select}'),
                ('doudi_extractor', 'ops.erasure', '{select}'),
                ('doudi_transformer', 'ops.load', '{select}'),
                ('doudi_transformer', 'ops.quarantine', '{select}'),
                ('doudi_transformer', 'ops.build', '{select,insert,update}'),
                ('doudi_transformer', 'ops.identity_decision', '{select}'),
                ('doudi_transformer', 'ops.identifier_key', '{select,insert}'),
                ('doudi_transformer', 'access.reader', '{select}'),
                ('doudi_transformer', 'access.relation', '{select}'),
                ('doudi_extractor', 'ops.load', '{select}'),
                ('doudi_extractor', 'ops.build', '{select}'),
                ('doudi_loader', 'ops.touched_person', '{insert}'),
                ('doudi_transformer', 'ops.touched_person', '{select,delete}'),
                ('doudi_extractor', 'ops.extract', '{select,insert,update}'),
                ('doudi_extractor', 'ops.extract_row', '{select,insert,update,delete}'),
                ('doudi_extractor', 'ops.declaration', '{select,insert}'),
                ('doudi_extractor', 'ops.disclosure', '{select,insert}'),
                ('doudi_extractor', 'ops.disclosed_person', '{select,insert}'),
                ('doudi_extractor', 'ops.identifier_key', '{select}'),
                ('doudi_extractor', 'identity.joined_id', '{select}')
            union all
            select 'doudi_transformer', format('register.%I', relname), '{select}'
            from pg_class
            where relnamespace = 'register'::regnamespace and relkind in ('r', 'p')
            union all
            select role, format('reference.%I', relname), '{select}'
            from pg_class
            cross join unnest('{doudi_loader,doudi_extractor}'::text[]) as role
            where relnamespace = 'reference'::regnamespace and relkind in ('r', 'p', 'v')
        )
        select wanted.role, wanted.relation, privilege
        from wanted
        cross join unnest(wanted.privileges) as privilege
        where not has_table_privilege(wanted.role, wanted.relation, privilege)
    loop
        execute format('grant %s on %s to %I', missing.privilege, missing.relation, missing.role);
    end loop;

    for missing in
        with wanted (role, schemas) as (
            values
                ('doudi_loader', '{ops,reference,identity,marts}'::text[]),
                ('doudi_transformer', '{ops,access,register}'),
                ('doudi_extractor', '{ops,reference,identity,marts}')
        )
        select wanted.role, schema
        from wanted
        cross join unnest(wanted.schemas) as schema
        where not has_schema_privilege(wanted.role, schema, 'usage')
    loop
        execute format('grant usage on schema %I to %I', missing.schema, missing.role);
    end loop;
end
$$;
-- A changed seed is a new table.
alter default privileges for role doudi_transformer in schema reference
grant select on tables to doudi_loader, doudi_extractor;
