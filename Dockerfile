# One image for every part of Airflow and for the command doudi, and one with Superset beside, which wants another SQLAlchemy:
#   docker build --target doudi -t doudi:0.1.0 .
#   docker build --target superset -t doudi-superset:0.1.0 .
# What goes in is fixed by the tag of the base and by the hashes of the requirements' files.
ARG PYTHON=python:3.11.15-slim-bookworm

FROM ${PYTHON} AS uv
COPY requirements-bootstrap.txt /tmp/
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r /tmp/requirements-bootstrap.txt
# compiled files say which source they were made from, and not when
ENV SOURCE_DATE_EPOCH=0 UV_LINK_MODE=copy

FROM uv AS packages
COPY requirements-cluster.txt /tmp/
RUN python -m venv --without-pip /opt/venv \
    && uv pip sync --no-cache --python /opt/venv/bin/python --require-hashes --compile-bytecode \
        /tmp/requirements-cluster.txt
COPY pyproject.toml README.md LICENSE /src/
COPY src /src/src
RUN uv pip install --no-cache --python /opt/venv/bin/python --no-deps --no-build-isolation --compile-bytecode /src

FROM uv AS superset-packages
COPY requirements-superset.txt /tmp/
RUN python -m venv --without-pip /opt/doudi/.venv-superset \
    && uv pip sync --no-cache --python /opt/doudi/.venv-superset/bin/python --require-hashes --compile-bytecode \
        /tmp/requirements-superset.txt

FROM ${PYTHON} AS doudi
RUN useradd --uid 50000 --gid 0 --create-home --home-dir /home/doudi doudi \
    && install -d -o 50000 -g 0 -m 0770 /var/lib/airflow /var/lib/doudi /var/lib/doudi/inbox /var/lib/doudi/out \
        /var/log/airflow /var/tmp/doudi
COPY --from=packages /opt/venv /opt/venv
COPY access.yml retention.yml /opt/doudi/
COPY contracts /opt/doudi/contracts
COPY dags /opt/doudi/dags
COPY dbt_project /opt/doudi/dbt_project
COPY deploy/initialise.sh /opt/doudi/deploy/
COPY expectations /opt/doudi/expectations
COPY extracts /opt/doudi/extracts
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    AIRFLOW_HOME=/var/lib/airflow \
    AIRFLOW__CORE__DAGS_FOLDER=/opt/doudi/dags \
    AIRFLOW__CORE__LOAD_EXAMPLES=False \
    DOUDI_PROJECT=/opt/doudi \
    DOUDI_HOME=/var/lib/doudi \
    DO_NOT_TRACK=1 \
    DBT_SEND_ANONYMOUS_USAGE_STATS=false \
    GX_ANALYTICS_ENABLED=false
USER 50000:0
WORKDIR /var/lib/doudi
CMD ["doudi", "--help"]

FROM doudi AS superset
COPY --from=superset-packages /opt/doudi/.venv-superset /opt/doudi/.venv-superset
COPY requirements-superset.txt /opt/doudi/
COPY dashboards /opt/doudi/dashboards
ENV DOUDI_SUPERSET_LISTEN=0.0.0.0
CMD ["python", "-m", "doudi.dashboards", "serve"]
