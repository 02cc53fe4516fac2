# Tindon. `make` alone lists what can be made.
# Nothing is needed beforehand but Python 3.11 or newer, make and network on the first run.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The environment is complete when this file exists; another lock or pyproject.toml gives another name.
STAMP := $(VENV)/.complete-$(shell cat requirements.lock pyproject.toml | sha256sum | cut -c1-16)

.DEFAULT_GOAL := help
.PHONY: help setup servers demo test check clean lock docs
.SILENT:

help: ## This list
	awk -F':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## The Python environment in .venv, from the lock

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "tindon: $(PYTHON) is older than 3.11; install a newer one, or: make PYTHON=python3.12" >&2; exit 1; }
	if ! $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; then \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			apt-get update -qq && apt-get install -y -qq python3-venv; \
		else \
			echo "tindon: Python cannot make environments; run: sudo apt-get install python3-venv" >&2; exit 1; \
		fi; \
	fi
	[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	rm -f $(VENV)/.complete-*
	touch $@

demo: setup ## The built-in scenario; console on http://127.0.0.1:8080
	$(BIN)/tindon demo

servers: setup ## What the integration tests need: Java, Kafka, Elasticsearch, Chromium
	if [ -f deploy/local/setup.py ]; then $(BIN)/python -m deploy.local.setup --chromium; fi

test: servers ## Everything: set up what is missing, then all tests
	$(BIN)/python -m pytest

check: setup ## Under a minute: format, lint, types, import contracts, unit tests; all, then the verdict
	failed=; run() { "$$@" || failed="$$failed $$(basename $$1)"; }; \
	run $(BIN)/ruff format --check --output-format concise .; \
	run $(BIN)/ruff check --output-format concise .; \
	run $(BIN)/mypy; \
	run $(BIN)/lint-imports; \
	run $(BIN)/pytest -q tests/unit; \
	[ -z "$$failed" ] || { echo "tindon: these did not pass:$$failed" >&2; exit 1; }

docs: setup ## The reference of settings in docs/, from config/default.yaml
	$(BIN)/python -m config.reference docs/settings.md

lock: ## Both locks anew from pyproject.toml (needs uv; the lock itself does not)
	command -v uv >/dev/null || { echo "tindon: uv is missing; run: pip install uv" >&2; exit 1; }
	uv pip compile pyproject.toml --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
		--no-header --no-annotate --extra evaluate --extra dev --output-file requirements.lock
	uv pip compile pyproject.toml --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
		--no-header --no-annotate --constraint requirements.lock --output-file requirements-core.lock

clean: ## Caches and build results; .venv stays
	rm -rf build dist out .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -exec rm -rf {} +
