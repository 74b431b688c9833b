#!/bin/sh
# Joins the nodes of the profile citus: the warehouse's database and account on each, and the workers to the
# coordinator. Running it again changes nothing.
set -eu
PGPASSWORD=$(cat /run/secrets/postgres_password)
export PGPASSWORD PGUSER=postgres
run() { psql --no-psqlrc --quiet --tuples-only --set=ON_ERROR_STOP=1 "$@"; }

for node in coordinator worker1 worker2; do
    run --host "$node" --dbname postgres --set=password="$(cat /run/secrets/doudi_password)" <<'SQL'
set citus.enable_ddl_propagation to off;
select 'create role doudi login createrole'
where not exists (select from pg_roles where rolname = 'doudi') \gexec
alter role doudi password :'password';
select 'create database doudi owner doudi'
where not exists (select from pg_database where datname = 'doudi') \gexec
SQL
    run --host "$node" --dbname doudi --command 'create extension if not exists citus'
done
run --host coordinator --dbname doudi <<'SQL'
select citus_set_coordinator_host('coordinator', 5432);
select citus_add_node('worker1', 5432);
select citus_add_node('worker2', 5432);
SQL
