# Warmlead's tasks. `make` lists them; each sets itself up.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
LOCK   := infra/locks/dev.txt
T      ?= tests

.DEFAULT_GOAL := help
.PHONY: help setup demo serve test check lint format types imports bench snippet lock lock-check clean

help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n\033[1m%s\033[0m\n", substr($$0, 5)} \
	  /^[a-z-]+:.*## / {printf "  \033[36mmake %-11s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Try it
demo: $(READY) ## Warm up one lead from anonymous to MQL, over real HTTP, and show why
	@$(BIN)/python -m warmlead.cli.main demo

serve: $(READY) ## Leave everything running on http://127.0.0.1:8080 to play with (Ctrl-C ends it)
	@$(BIN)/warmlead serve

##@ Work on it
setup: $(READY) ## Make the virtual environment .venv from the locked requirements
test: $(READY) ## Run the tests; one file or folder with T=tests/unit
	$(BIN)/pytest -n auto --dist loadgroup $(T)
check: lint types imports lock-check ## Everything that CI checks besides the tests
lint: $(READY) ## Ruff: style and faults
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
format: $(READY) ## Ruff: mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
types: $(READY) ## Mypy, strict
	$(BIN)/mypy
imports: $(READY) ## Import-linter: layers point down only
	$(BIN)/lint-imports
bench: $(READY) ## Measure: import time, memory, events a second, microseconds a score
	$(BIN)/python tests/bench.py

##@ Release it
snippet: ## Build the browser snippet from its source (needs Node)
	cd shared/warmlead/web/snippet && \
	  npx --yes esbuild@0.28.2 snippet.js --minify --target=es2021 --outfile=warmlead.js --log-level=warning && \
	  sha256sum snippet.js warmlead.js > SHA256SUMS
lock: $(READY) ## Lock all requirements with hashes, for development and for each function
	$(BIN)/python infra/lock.py
lock-check: $(READY) ## Fail if a lock is older than pyproject.toml
	$(BIN)/python infra/lock.py --check
clean: ## Remove what was built; .warmlead/ (your data) stays
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(READY): $(LOCK) pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Warmlead needs Python 3.11 or newer: make PYTHON=python3.12 setup")'
	@echo "Setting up $(VENV) …"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(LOCK)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
