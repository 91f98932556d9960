# make run    everything, from an empty folder to the report        make test   all tests
# make run SETTING=hour    with settings/hour.yaml over params.yaml
# make lint   ruff and mypy                                         make parameters   params.yaml (defaults) and docs/parameters.md
# make bench  ours against other libraries; ARGS="--only design"    make clean        remove all data and results
# make faults kills, full disks, flipped bytes; ARGS="--runs 20"
# make docs   the site, into site/index.html                        make dependencies the lists of dvc.yaml that follow from imports
.PHONY: run test bench faults docs lint parameters dependencies clean
SHELL := /bin/bash

PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11,\
  $(shell command -v $(name) >/dev/null 2>&1 && $(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(name))))
BIN := .venv/bin
STAMP := .venv/.installed
EXTRAS := .venv/.extras
PEERS := .venv/.peers
SITE := .venv/.site
export PIP_DISABLE_PIP_VERSION_CHECK := 1

run: $(STAMP)
	$(if $(SETTING),$(BIN)/eagle setting "$(SETTING)")
	$(BIN)/python -m flows.pipeline

test: $(EXTRAS)
	$(BIN)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder

bench: $(PEERS)
	$(BIN)/python -m benchmarks $(ARGS)

faults: $(EXTRAS)
	$(BIN)/python -m benchmarks.faults $(ARGS)

docs: $(SITE)
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo site/index.html

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

parameters: $(STAMP)
	$(BIN)/python -m eagle.config.parameters

dependencies: $(STAMP)
	$(BIN)/python -m eagle.config.dependencies

$(STAMP): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed: install it, or run: make PYTHON=/path/to/python3" >&2; exit 2; }
	test -x $(BIN)/python || "$(PYTHON)" -m venv .venv
	$(BIN)/python -m pip install --quiet --progress-bar off -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# What only the optional parts need, all of which are tested.
$(EXTRAS): $(STAMP) requirements-extras.lock
	$(BIN)/python -m pip install --quiet --progress-bar off --no-deps -r requirements-extras.lock
	@touch $@

# What the benchmarks compare with, one by one: a peer that cannot be built here leaves a line in the table.
$(PEERS): $(STAMP) requirements-bench.lock
	grep -v '^#' requirements-bench.lock | xargs -n 1 $(BIN)/python -m pip install --quiet --progress-bar off --no-deps || true
	@touch $@

# What builds the site.
$(SITE): $(STAMP) requirements-docs.lock
	$(BIN)/python -m pip install --quiet --progress-bar off --no-deps -r requirements-docs.lock
	@touch $@

clean:
	rm -rf .cache site data models reports mlruns/artifacts mlruns/live mlruns/mlflow.db* .prefect
