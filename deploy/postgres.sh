#!/bin/sh
# Run once by the Postgres image, when its volume is empty: accounts and databases for the warehouse, Airflow and
# Superset. None is a superuser; the warehouse's may create the roles that its readers and steps take.
set -eu
for account in doudi airflow superset; do
    rights=$([ "$account" = doudi ] && echo createrole || echo nocreaterole)
    psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
        --set=account="$account" --set=password="$(cat "/run/secrets/${account}_password")" <<SQL
create role :"account" login $rights password :'password';
create database :"account" owner :"account";
revoke all on database :"account" from public;
SQL
done
