# Tindon. `make` alone lists what can be made.
# Nothing is needed beforehand but Python 3.11 or newer, make and network on the first run.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The environment is complete when this file exists; another lock or pyproject.toml gives another name.
STAMP := $(VENV)/.complete-$(shell cat requirements.lock pyproject.toml | sha256sum | cut -c1-16)
# Models of sentence-transformers need torch, 4 GB unpacked: an environment of their own, for one test
# file. It lies in the cache, so that every checkout shares it, and holds nothing of the checkout.
HEAVY_LOCK := requirements-transformers.lock
HEAVY := $(or $(TINDON_CACHE),$(HOME)/.cache/tindon)/transformers-$(shell sha256sum $(HEAVY_LOCK) | cut -c1-16)
HEAVY_STAMP := $(HEAVY)/.complete
HEAVY_TESTS := tests/integration/test_sentence_transformers.py
# GB: downloads, their cache and what they unpack to.
HEAVY_FREE := 10
# What torch names and never loads on a CPU; the other CUDA libraries are linked, it needs them to start.
HEAVY_WITHOUT := cuda-bindings cuda-pathfinder cuda-toolkit nvidia-cuda-cccl nvidia-cusolver nvidia-nvtx triton

# The compiler of the Kibana dashboards wants Python 3.12: an environment of its own in the cache.
KIBANA_LOCK := deploy/kibana/requirements.lock
KIBANA := $(or $(TINDON_CACHE),$(HOME)/.cache/tindon)/kibana-$(shell sha256sum $(KIBANA_LOCK) | cut -c1-16)
# The first that runs: a name on the path may be a pointer to nothing.
PYTHON12 ?= $(shell for p in python3.13 python3.12 $(wildcard $(HOME)/.pyenv/versions/3.1[23].*/bin/python); do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null && echo $$p && break; done)

.DEFAULT_GOAL := help
.PHONY: help setup servers kibana demo test chaos transformers check clean lock docs bench
.SILENT:

help: ## This list
	awk -F':.*## ' '/^[a-z]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

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

servers: setup ## What the integration tests need: Java, Kafka, Elasticsearch, Chromium, Prometheus
	if [ -f deploy/local/setup.py ]; then $(BIN)/python -m deploy.local.setup --chromium --prometheus; fi

test: ## Everything: set up what is missing, then all tests
	failed=; $(MAKE) --no-print-directory --keep-going --jobs=2 servers transformers || \
		{ $(MAKE) --no-print-directory servers || exit 1; failed=yes; }; \
	[ -z "$(PYTHON12)" ] || $(MAKE) --no-print-directory $(KIBANA)/.complete || \
		echo "tindon: without the dashboards' compiler their drift test is left out"; \
	$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder && [ -z "$$failed" ] || \
		{ [ -z "$$failed" ] || echo "tindon: make transformers failed, see above" >&2; exit 1; }

chaos: servers ## The long form of the tests under faults, half an hour: kills, stalls, outages
	TINDON_TEST_CHAOS=1 $(BIN)/python -m pytest tests/consistency

# Its environment needs ours to be made, not to be used: `make test` makes ours and runs these side by side.
transformers: $(if $(wildcard $(HEAVY_STAMP)),,setup) ## The encoder tests with real sentence-transformers models, in an environment of their own
	if [ ! -f $(HEAVY_STAMP) ] && [ "$$(df -Pk . | awk 'END { print $$4 }')" -lt $$(($(HEAVY_FREE) << 20)) ]; then \
		echo "tindon: less than $(HEAVY_FREE) GB free here: the tests of sentence-transformers models are left out"; \
	else \
		$(MAKE) --no-print-directory $(HEAVY_STAMP) && PYTHONPATH=. $(HEAVY)/bin/python -m pytest $(HEAVY_TESTS); \
	fi

kibana: $(KIBANA)/.complete ## Compiles the Kibana dashboards anew (needs Python 3.12 or newer)
	PYTHONPATH=. $(KIBANA)/bin/python -m deploy.kibana.build

$(KIBANA)/.complete:
	[ -n "$(PYTHON12)" ] && $(PYTHON12) -c 'import sys; sys.exit(sys.version_info < (3, 12))' || \
		{ echo "tindon: the dashboards' compiler needs Python 3.12 or newer: make kibana PYTHON12=python3.12" >&2; exit 1; }
	rm -rf $(KIBANA)
	$(PYTHON12) -m venv $(KIBANA)
	$(KIBANA)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(KIBANA_LOCK)
	touch $@

$(HEAVY_STAMP):
	echo "$(HEAVY): torch and models, 2.5 GB to download the first time"
	rm -rf $(HEAVY)
	mkdir -p $(dir $(HEAVY))
	$(BIN)/python -m venv $(HEAVY)
	$(HEAVY)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --no-compile -r $(HEAVY_LOCK)
	touch $@

check: setup ## Under a minute: format, lint, types, import contracts, unit tests; all, then the verdict
	failed=; run() { "$$@" || failed="$$failed $$(basename $$1)"; }; \
	run $(BIN)/ruff format --check --output-format concise .; \
	run $(BIN)/ruff check --output-format concise .; \
	said=$$(mktemp); $(BIN)/mypy >$$said 2>&1 & types=$$!; \
	run $(BIN)/lint-imports; \
	run $(BIN)/pytest -q --numprocesses 2 --dist loadfile tests/unit; \
	wait $$types || failed="$$failed mypy"; cat $$said; rm $$said; \
	[ -z "$$failed" ] || { echo "tindon: these did not pass:$$failed" >&2; exit 1; }

docs: setup ## The reference of settings in docs/, from config/default.yaml
	$(BIN)/python -m config.reference docs/settings.md

bench: setup ## The embedded road's speed, in short: by stage, as a stream goes on, against its peers
	$(BIN)/python -m bench.replay
	$(BIN)/python -m bench.throughput --posts 20000 --active 2000
	$(BIN)/python -m bench.race --posts 20000 --minilm 500

lock: ## All locks anew from pyproject.toml (needs uv; the lock itself does not)
	command -v uv >/dev/null || { echo "tindon: uv is missing; run: pip install uv" >&2; exit 1; }
	uv pip compile pyproject.toml --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
		--no-header --no-annotate --extra evaluate --extra dev --output-file requirements.lock
	uv pip compile pyproject.toml --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
		--no-header --no-annotate --constraint requirements.lock --output-file requirements-core.lock
	uv pip compile pyproject.toml requirements-transformers.in --quiet --upgrade --universal --python-version 3.11 \
		--generate-hashes --no-header --no-annotate --extra sentence-transformers --constraint requirements.lock \
		$(addprefix --no-emit-package ,$(HEAVY_WITHOUT)) --output-file $(HEAVY_LOCK)

clean: ## Caches and build results; the environments stay
	rm -rf build dist out .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -path './.venv*' -prune -o -name __pycache__ -type d -exec rm -rf {} +
