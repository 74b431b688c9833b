# make run            a night on Airflow: of a synthetic county, or make run INBOX=folder [AS_OF=YYYY-MM-DD]
# make ui             Airflow's scheduler and web interface, until Ctrl-C
# make dashboards     Superset with its dashboards on the warehouse, until Ctrl-C
# make test, lint     what a change must pass
# make soak           2,500 broken deliveries and 300 kills, others each time; DOUDI_SEED=n repeats the kills
#                     and 5 counties against their truth, 20 against the plain reading of the page, twelve months played,
#                     50 counties computed for whom nights touch, against everybody
# make bench          what landing, extracts and whole nights cost against bare COPY, ROWS=1000000 or more, NIGHTS=people of
#                     each county (10000 100000 1000000 unless given; BENCH=province: 10000000); writes docs/benchmarks.md
# make test-dashboards  Superset in a browser: every dashboard, and what a county's user cannot reach; needs Chromium
# make pictures       the READMEs' pictures anew, from the warehouse that make run has filled; needs Chromium
# make test-restore   a disaster after three nights: restored, from a backup and to a point in time, and caught up
# make test-upgrade   from the first commit at which a night ran to now, with data in it; needs the history of git
# make test-celery    a night on two Celery workers, one of which is killed; needs a Redis or Valkey on the machine
# make test-citus     the same prefecture on a Citus cluster and on one machine: needs DOUDI_CITUS_URL, before every release
# make setup          only .venv, with .venv/bin/doudi in it
# make lock           requirements*.txt anew from pyproject.toml
# make clean          remove all that the above have made, the warehouse in .doudi too

PERSONS ?= 5000
SEED ?= 1
ROWS ?= 1000000
NIGHTS ?= $(if $(filter province,$(BENCH)),10000000,10000 100000 1000000)
BIN := .venv/bin
INSTALL := $(BIN)/uv pip install --system-certs --quiet --python $(BIN)/python
COMPILE := $(BIN)/uv pip compile --system-certs --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url

.PHONY: run ui dashboards test test-dashboards pictures test-celery test-restore test-upgrade test-citus soak lint bench setup lock clean

run: setup
	@$(if $(INBOX),DOUDI_INBOX="$(INBOX)") $(if $(AS_OF),DOUDI_AS_OF="$(AS_OF)") $(BIN)/python -m doudi.orchestration run --persons $(PERSONS) --seed $(SEED)

ui: setup
	@$(BIN)/python -m doudi.orchestration ui

dashboards: setup .venv-superset/.done
	@$(BIN)/python -m doudi.dashboards serve

test: .venv/.dev
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder --ignore tests/celery --ignore tests/restore --ignore tests/upgrade

soak: .venv/.dev
	DOUDI_SOAK=1 $(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder tests/faults tests/property $(patsubst %,tests/integration/test_%.py,truth oracle twelve_months incremental)

test-dashboards: .venv/.dev .venv-superset/.done
	$(BIN)/pytest -m dashboards tests/dashboards

pictures: .venv/.dev .venv-superset/.done
	$(BIN)/python tests/pictures.py

test-restore: .venv/.dev
	$(BIN)/pytest tests/restore

test-upgrade: .venv/.dev
	$(BIN)/pytest tests/upgrade

test-celery: .venv/.dev .venv-cluster/.done
	$(BIN)/uv pip install --system-certs --quiet --python .venv-cluster/bin/python --no-deps --no-build-isolation --reinstall-package doudi .
	$(BIN)/pytest tests/celery

test-citus: .venv/.dev
	@test -n "$(DOUDI_CITUS_URL)" || { echo 'set DOUDI_CITUS_URL to an empty database test… of a coordinator: see docs/scale.md' >&2; exit 1; }
	$(BIN)/pytest -m citus tests/citus

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/sqlfluff lint dbt_project/models
	$(BIN)/yamllint --strict .

bench: setup .venv-bench/.done
	$(BIN)/python -m benchmarks.landing $(ROWS)
	$(BIN)/python -m benchmarks.extracts $(ROWS)
	$(BIN)/python -m benchmarks.night $(NIGHTS)
	$(BIN)/python -m benchmarks.orchestration

setup: .venv/.runtime

lock: $(BIN)/uv
	echo 'uv==0.13.9' | $(COMPILE) - -o requirements-bootstrap.txt
	$(COMPILE) pyproject.toml -o requirements.txt
	$(COMPILE) pyproject.toml --extra dev -c requirements.txt -o requirements-dev.txt
	$(COMPILE) pyproject.toml --extra cluster -c requirements.txt -o requirements-cluster.txt
	$(COMPILE) requirements-bench.in -o requirements-bench.txt
	$(COMPILE) requirements-superset.in -o requirements-superset.txt

clean:
	@if [ -d .doudi ] && [ -x $(BIN)/python ]; then DOUDI_HOME= $(BIN)/python -m doudi.orchestration stop && DOUDI_HOME= $(BIN)/python -m doudi.dashboards stop && DOUDI_HOME= $(BIN)/doudi db stop; fi
	rm -rf .doudi .venv .venv-bench .venv-superset .venv-cluster .pytest_cache .ruff_cache .hypothesis dbt_project/target dbt_project/logs logs
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/uv: requirements-bootstrap.txt
	@echo 'making .venv'
	@for python in $(PYTHON) python3.11 python3.12 python3; do \
	    $$python -c 'import sys, ensurepip, venv; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' 2>/dev/null \
	    && exec $$python -m venv --clear .venv; \
	done; \
	echo 'doudi needs Python 3.11 or 3.12 with its venv module; make setup PYTHON=path names one' >&2; exit 1
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bootstrap.txt
	@touch $@

.venv/.runtime: $(BIN)/uv requirements.txt pyproject.toml
	@echo 'installing what requirements.txt locks; the first time this takes some minutes'
	@$(INSTALL) --compile-bytecode --require-hashes -r requirements.txt
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

# the tools that landing is compared with, away from what doudi itself needs
.venv-bench/.done: $(BIN)/uv requirements-bench.txt
	@echo 'installing what requirements-bench.txt locks'
	@$(BIN)/python -m venv --clear .venv-bench
	@$(BIN)/uv pip install --system-certs --quiet --python .venv-bench/bin/python --require-hashes -r requirements-bench.txt
	@touch $@

# what the image holds: Airflow with the executors beyond one machine, and doudi as a wheel
.venv-cluster/.done: $(BIN)/uv requirements-cluster.txt
	@echo 'installing what requirements-cluster.txt locks'
	@$(BIN)/python -m venv --clear .venv-cluster
	@$(BIN)/uv pip install --system-certs --quiet --python .venv-cluster/bin/python --require-hashes -r requirements-cluster.txt
	@touch $@

# Superset needs other releases of what doudi needs too
.venv-superset/.done: $(BIN)/uv requirements-superset.txt
	@echo 'installing what requirements-superset.txt locks; the first time this takes some minutes'
	@$(BIN)/python -m venv --clear .venv-superset
	@$(BIN)/uv pip install --system-certs --quiet --compile-bytecode --python .venv-superset/bin/python --require-hashes -r requirements-superset.txt
	@touch $@

.venv/.dev: .venv/.runtime requirements-dev.txt
	@echo 'installing what requirements-dev.txt locks'
	@$(INSTALL) --compile-bytecode --require-hashes -r requirements-dev.txt
	@touch $@
