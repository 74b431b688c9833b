#!/bin/sh
# Makes or upgrades what Airflow and the warehouse keep in their databases; running it again changes nothing.
set -eu
airflow db migrate
airflow users create --role Admin --username "${AIRFLOW_ADMIN_USER:-admin}" \
    --firstname Doudi --lastname Administrator --email admin@localhost \
    --password "$(cat "${AIRFLOW_ADMIN_PASSWORD_FILE:?}")"
doudi init
