#!/bin/sh
# Makes the secrets that docker-compose.yml names, each a file of its own; what is there already stays as it is.
#   sh deploy/secrets.sh [host of the warehouse, postgres unless given: citus-coordinator for the profile citus]
# The folder is closed to other users of this machine. The files themselves are readable, since each container reads
# them as a user of its own.
set -eu
warehouse=${1:-postgres}
folder=$(dirname "$0")/secrets
mkdir -p "$folder"
chmod 700 "$folder"

keep() {  # name, value
    [ -s "$folder/$1" ] && return
    printf "%s" "$2" > "$folder/$1.part"
    chmod 644 "$folder/$1.part"
    mv "$folder/$1.part" "$folder/$1"
}
random() { od -An -tx1 -N32 /dev/urandom | tr -d ' \n'; }

for name in postgres_password doudi_password airflow_password superset_password redis_password airflow_admin_password \
    airflow_api_secret airflow_jwt_secret identifier_key s3_access_key s3_secret_key sftp_password; do
    keep "$name" "$(random)"
done
keep airflow_fernet_key "$(head -c 32 /dev/urandom | base64 | tr -d '\n' | tr '+/' '-_')"
keep warehouse_url "postgresql://doudi:$(cat "$folder/doudi_password")@$warehouse:5432/doudi"
keep airflow_database_url "postgresql+psycopg://airflow:$(cat "$folder/airflow_password")@postgres:5432/airflow"
keep superset_database_url "postgresql+psycopg2://superset:$(cat "$folder/superset_password")@postgres:5432/superset"
keep celery_broker_url "redis://:$(cat "$folder/redis_password")@redis:6379/0"
