# Two commands on a fresh machine with Python 3.11 and pip: `make demo` and `make test`.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input -q

# Real weights and data, if they lie beside this folder; tests that need them are skipped otherwise.
ifndef DEIXIS_SHARED
ifneq ($(wildcard ../shared/weights/MANIFEST.tsv),)
export DEIXIS_SHARED := $(abspath ../shared)
endif
endif

.PHONY: help demo test test-services lint types arrows schemas docs install-size check clean
help:
	@echo "make demo    set everything up and run the main job"
	@echo "make test    set everything up and run the tests"
	@echo "make check   set everything up and run what CI runs besides the tests"
	@echo "make docs    write the generated pages: schemas, error codes, tables of numbers"
	@echo "make clean   remove the environment"

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "deixis needs Python 3.11 or newer; name one with: make PYTHON=python3.11 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# Stamps: what is installed is installed again only when pyproject.toml changes.
$(VENV)/.demo-installed: pyproject.toml | $(BIN)/python
	@echo "Installing deixis into $(VENV) ..."
	$(PIP) install -e '.[video]'
	@touch $@

$(VENV)/.test-installed: pyproject.toml | $(BIN)/python
	@echo "Installing deixis and what its tests need into $(VENV) ..."
	$(PIP) install -e '.[dev]'
	@touch $@ $(VENV)/.demo-installed

demo: $(VENV)/.demo-installed
	$(BIN)/deixis demo

test: $(VENV)/.test-installed
	$(BIN)/python -m pytest -n 2 $(ARGS)

# A PostgreSQL of Debian's package for the tests that need one; they are skipped without it.
test-services: $(VENV)/.test-installed
	$(BIN)/python -m tests.services.postgres start

lint: $(VENV)/.test-installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.test-installed
	$(BIN)/mypy

arrows: $(VENV)/.test-installed
	$(BIN)/lint-imports

schemas: $(VENV)/.test-installed
	$(BIN)/deixis schemas check docs/schemas

docs: $(VENV)/.test-installed
	$(BIN)/deixis schemas write docs/schemas
	$(BIN)/python -m tests.docs.error_codes
	$(BIN)/python -m deixis.eval.mllm.table docs/numbers/mllm-pocket.json --out docs/mllm_baselines.md
	@if ls docs/numbers/*-*.json >/dev/null 2>&1; then $(BIN)/deixis eval table --page README.md; fi

install-size: $(BIN)/python
	$(BIN)/python tests/bench/install.py docs/numbers/install.json

check: lint types arrows schemas

clean:
	rm -rf $(VENV)
