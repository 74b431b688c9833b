# make run            a night on Airflow: of a synthetic county, or make run INBOX=folder [AS_OF=YYYY-MM-DD]
# make ui             Airflow's scheduler and web interface, until Ctrl-C
# make test, lint     what a change must pass
# make soak           2,500 broken deliveries and 300 kills, others each time; DOUDI_SEED=n repeats the kills
#                     and 5 counties against their truth, 20 against the plain reading of the page, twelve months played
# make bench          what landing, extracts and whole nights cost against bare COPY, ROWS=1000000 or more, NIGHTS=people of
#                     each county (10000 100000 unless given); writes docs/benchmarks.md
# make setup          only .venv, with .venv/bin/doudi in it
# make lock           requirements*.txt anew from pyproject.toml
# make clean          remove all that the above have made, the warehouse in .doudi too

PERSONS ?= 5000
SEED ?= 1
ROWS ?= 1000000
NIGHTS ?= 10000 100000
BIN := .venv/bin
INSTALL := $(BIN)/uv pip install --system-certs --quiet --python $(BIN)/python
COMPILE := $(BIN)/uv pip compile --system-certs --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url

.PHONY: run ui test soak lint bench setup lock clean

run: setup
	@$(if $(INBOX),DOUDI_INBOX="$(INBOX)") $(if $(AS_OF),DOUDI_AS_OF="$(AS_OF)") $(BIN)/python -m doudi.orchestration run --persons $(PERSONS) --seed $(SEED)

ui: setup
	@$(BIN)/python -m doudi.orchestration ui

test: .venv/.dev
	$(BIN)/pytest -n 2 --dist loadfile

soak: .venv/.dev
	DOUDI_SOAK=1 $(BIN)/pytest -n 2 --dist loadfile tests/faults tests/property $(patsubst %,tests/integration/test_%.py,truth oracle twelve_months)

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/sqlfluff lint dbt_project/models
	$(BIN)/yamllint --strict .

bench: setup .venv-bench/.done
	$(BIN)/python -m benchmarks.landing $(ROWS)
	$(BIN)/python -m benchmarks.extracts $(ROWS)
	$(BIN)/python -m benchmarks.night $(NIGHTS)

setup: .venv/.runtime

lock: $(BIN)/uv
	echo 'uv==0.13.9' | $(COMPILE) - -o requirements-bootstrap.txt
	$(COMPILE) pyproject.toml -o requirements.txt
	$(COMPILE) pyproject.toml --extra dev -c requirements.txt -o requirements-dev.txt
	$(COMPILE) requirements-bench.in -o requirements-bench.txt

clean:
	@if [ -d .doudi ] && [ -x $(BIN)/python ]; then DOUDI_HOME= $(BIN)/python -m doudi.orchestration stop && DOUDI_HOME= $(BIN)/doudi db stop; fi
	rm -rf .doudi .venv .venv-bench .pytest_cache .ruff_cache .hypothesis dbt_project/target dbt_project/logs logs
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

.venv/.dev: .venv/.runtime requirements-dev.txt
	@echo 'installing what requirements-dev.txt locks'
	@$(INSTALL) --compile-bytecode --require-hashes -r requirements-dev.txt
	@touch $@
