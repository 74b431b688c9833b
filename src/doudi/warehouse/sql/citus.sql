-- A cluster of Citus: where the rows of a table lie, and how a table is filled when its query may not be split up. Made
-- by `doudi init` with DOUDI_CITUS=on and nowhere else; that it is there says that a warehouse is on a cluster. Apart
-- from ops, whose functions are part of how a row is known again.

-- Spreads an empty table over the workers by its county, in step with all other tables of counties; a table without one
-- is left with the coordinator.
create or replace function cluster.distribute(relation regclass) returns void
language plpgsql
as $$
declare
    county name := (
        select attname
        from pg_attribute
        where attrelid = relation and attname in ('county_code', '_county_code') and not attisdropped
        order by attname desc -- where a row has both, it is where somebody lives, not where a record is filed
        limit 1
    );
begin
    if county is not null and not exists (select from pg_dist_partition where logicalrelid = relation) then
        perform create_distributed_table(relation, county);
    end if;
end
$$;

-- Gives every node a copy of a small table that everything is joined with. What follows in the transaction reaches the
-- coordinator's copy as it does the workers', since Citus does not change from one way to the other; it must not read
-- anything any more, for then Citus 14.0 takes what it has computed in between for empty.
create or replace function cluster.copy_to_nodes(relation regclass) returns void
language plpgsql
as $$
begin
    if not exists (select from pg_dist_partition where logicalrelid = relation) then
        set local citus.enable_local_execution = off;
        perform create_reference_table(relation);
    end if;
end
$$;

-- A temporary table, for this transaction, of all that a relation holds. What a view reads is fetched first where Citus
-- cannot split up the view either.
create or replace function cluster.fetch(relation regclass, fetched name) returns void
language plpgsql
as $$
declare
    read regclass;
    read_name name;
    definition text;
begin
    if to_regclass(format('pg_temp.%I', fetched)) is not null then
        return;
    end if;
    begin
        execute format('create temporary table %I on commit drop as select * from %s', fetched, relation);
        execute format('analyze %I', fetched);
        return;
    exception
        when feature_not_supported then
            if not exists (select from pg_class where oid = relation and relkind = 'v') then
                raise;
            end if;
            definition := rtrim(pg_get_viewdef(relation), ';');
    end;
    for read, read_name in
        select distinct class.oid, class.relname
        from pg_rewrite as rule
        inner join pg_depend as dependency
            on dependency.objid = rule.oid and dependency.refclassid = 'pg_class'::regclass
        inner join pg_class as class on class.oid = dependency.refobjid
        where rule.ev_class = relation and dependency.refobjid <> relation
    loop
        perform cluster.fetch(read, read_name);
        definition := regexp_replace(
            definition, format('\m%s\M', replace(read::text, '.', '[.]')), format('pg_temp.%I', read_name), 'g'
        );
    end loop;
    execute format('create temporary table %I on commit drop as %s', fetched, definition);
    execute format('analyze %I', fetched);
end
$$;

-- The query as the cluster can run it: as it is where Citus can split it up, which it says as it plans; else with the
-- relations it reads (named as they stand in its text) fetched whole to the coordinator first, as temporary tables of
-- this transaction.
create or replace function cluster.runnable(statement text, reads text[]) returns text
language plpgsql
as $$
declare
    relation text;
    fetched text;
begin
    perform cluster.share_identifier_key();
    begin
        -- Citus 14.0 takes a CTE that such a function is joined with for empty, and only warns.
        if statement !~* 'regexp_split_to_table' then
            execute 'explain (costs off) ' || statement;
            return statement;
        end if;
    exception
        when feature_not_supported or invalid_column_reference then
            null; -- Citus cannot split it up
    end;
    raise log 'fetched to the coordinator: %', array_to_string(reads, ', ');
    foreach relation in array reads loop
        continue when strpos(statement, relation) = 0;
        fetched := 'fetched_' || md5(relation);
        perform cluster.fetch(relation::regclass, fetched);
        statement := replace(statement, relation, 'pg_temp.' || fetched);
    end loop;
    return statement;
end
$$;

create or replace function cluster.fill(relation text, statement text, reads text[]) returns void
language plpgsql
as $$
begin
    execute cluster.runnable(format('insert into %s %s', relation, statement), array_remove(reads, relation));
end
$$;

-- How many rows a query gives.
create or replace function cluster.count_of(statement text, reads text[]) returns bigint
language plpgsql
as $$
declare
    rows bigint;
begin
    execute cluster.runnable(format('select count(*) from (%s) as counted', statement), reads) into rows;
    return rows;
end
$$;

-- Citus hands on to the workers what a transaction sets for itself, not what the session was started with.
create or replace function cluster.share_identifier_key() returns void
language plpgsql
as $$
begin
    if current_setting('doudi.identifier_key', true) is not null then
        set local citus.propagate_set_commands = 'local';
        execute format('set local doudi.identifier_key = %L', current_setting('doudi.identifier_key'));
    end if;
end
$$;

-- What the statistics of all nodes say of each table, its parts on the workers taken together: rows dead and live, and how
-- old the oldest row is that is not frozen.
create or replace function cluster.table_state() returns table (
    schema_name text, table_name text, dead_rows bigint, live_rows bigint, age integer
)
language sql
as $$
    select part.schema_name, coalesce(class.relname, part.table_name), sum(part.dead), sum(part.live), max(part.age)
    from run_command_on_all_nodes($node$
        select jsonb_agg(jsonb_build_object(
            'schema_name', schemaname, 'table_name', stat.relname, 'dead', n_dead_tup, 'live', n_live_tup,
            'age', age(relfrozenxid)
        ))
        from pg_stat_user_tables as stat
        inner join pg_class as class on class.oid = stat.relid
    $node$) as node
    cross join jsonb_to_recordset(node.result::jsonb) as part (
        schema_name text, table_name text, dead bigint, live bigint, age integer
    )
    left join pg_dist_shard as shard on shard.shardid::text = substring(part.table_name, '_([0-9]+)$')
    left join pg_class as class
        on class.oid = shard.logicalrelid and class.relnamespace = to_regnamespace(part.schema_name)
    group by 1, 2
$$;

grant usage on schema cluster to doudi_transformer, doudi_loader;
revoke all on all functions in schema cluster from public;
grant execute on all functions in schema cluster to doudi_transformer;
