# Warmlead's tasks. `make` lists them; each sets itself up.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
RUNS   := $(VENV)/.runs# what it takes to run is installed
READY  := $(VENV)/.ready# what it takes to work on it as well
RUNTIME := infra/locks/runtime.txt
LOCK   := infra/locks/dev.txt
T      ?= tests
FAST   := tests/unit tests/senders tests/contract

# Where this is set, as in images of Docker, each process of each test would compile all again.
export PYTHONDONTWRITEBYTECODE :=

# What was written behind `make stage`, but for what is make's own: the files to stage. Variables of
# the shell are none of it; many have a MAIL there.
GIVEN = $(foreach name,$(filter-out PYTHON VENV MAKE%,$(.VARIABLES)),$(if $(findstring command line,$(origin $(name))),$(if $($(name)),$(name))))

.DEFAULT_GOAL := help
.PHONY: help setup demo serve emulators test test-fast check lint format types imports bench fuzz soak faults check-infra checkov deploy rollback secret stage snippet countries schemas senders fixtures inventory provider-schema screenshots sample-year drawing picture lock lock-check checkov-lock clean

help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n\033[1m%s\033[0m\n", substr($$0, 5)} \
	  /^[a-z-]+:.*## / {printf "  \033[36mmake %-15s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Try it; BACKEND=gcp does it on Google's emulators (gcloud and Java, no account)
demo: $(RUNS) ## Warm up one lead from anonymous to MQL, over real HTTP, and show why
	@$(BIN)/warmlead demo $(if $(BACKEND),--backend $(BACKEND))

serve: $(RUNS) ## Leave everything running on http://127.0.0.1:8080 to play with (Ctrl-C ends it; PORT=8081)
	@$(BIN)/warmlead serve $(if $(BACKEND),--backend $(BACKEND)) $(if $(PORT),--port $(PORT))

emulators: $(RUNS) ## Run Google's emulators of Firestore and Pub/Sub by themselves
	@$(BIN)/warmlead emulators

##@ Work on it
setup: $(RUNS) ## Make the virtual environment .venv with what it takes to run
test: $(READY) ## Run the tests; one file or folder with T=tests/unit
	$(BIN)/pytest -n auto --dist loadgroup $(T) $(if $(WITHOUT),--ignore $(WITHOUT))
test-fast: $(READY) ## Run all that needs no emulator, browser or server, with few examples
	@$(BIN)/pytest -q --hypothesis-profile fast -m "not emulator and not slow" $(FAST)
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
check-infra: $(READY) ## Terraform's own checks, our rules for plans, and seeded faults (needs terraform, no account)
	$(BIN)/pytest -q -n auto --dist loadgroup --hypothesis-profile thorough tests/infra
checkov: $(VENV)/checkov/.ready ## Checkov over our Terraform, in an environment of its own (300 MB)
	$(VENV)/checkov/bin/checkov --config-file infra/checkov.yaml
bench: $(READY) ## Measure what is claimed about cost and speed; OPTIONS="--quick --only rpcs"
	@PYTHONPATH=tests $(BIN)/python -m bench $(OPTIONS)
fuzz: $(READY) ## Send 100,000 odd requests to the functions, a fiftieth over HTTP too; N=200000 CAPTURES=folder SEED=1 REPLAY=finding PLANTED=1 SENDER=name
	PYTHONPATH=tests $(BIN)/python -m fuzz $(if $(N),--requests "$(N)") $(if $(PLANTED),--planted) \
	  $(if $(SENDER),--sender "$(SENDER)") $(if $(CAPTURES),--captures "$(CAPTURES)") \
	  $(if $(SEED),--seed "$(SEED)") $(if $(REPLAY),--replay "$(REPLAY)")
	$(if $(REPLAY)$(SENDER)$(PLANTED),,PYTHONPATH=tests $(BIN)/python -m fuzz.delivered $(if $(SEED),--seed "$(SEED)"))
soak: $(READY) ## Watch the memory of score and track over 100,000 events each
	$(BIN)/python tests/soak.py
faults: $(READY) ## Break everything in every way and check the promises (up to an hour); OPTIONS=--help
	PYTHONPATH=tests $(BIN)/python -m faults $(OPTIONS)

##@ Release it
stage: $(RUNS) ## Stage each function and its zip in build/; MODEL=model.yaml SHADOW=next.yaml FORMS=forms.yaml, and so for each function with a file
	@$(BIN)/python infra/stage.py $(foreach name,$(GIVEN),"--$(name)=$($(name))")
deploy: $(RUNS) ## Deploy an environment to Google Cloud: ENV=dev; it shows the plan and asks (needs terraform and gcloud)
	@$(BIN)/python infra/deploy.py deploy "$(ENV)" $(if $(STAGED),--staged "$(STAGED)") $(if $(YES),--yes)
rollback: $(RUNS) ## Deploy the release before again: ENV=dev; RELEASE=20261130T120000Z for another
	@$(BIN)/python infra/deploy.py rollback "$(ENV)" $(if $(RELEASE),--release "$(RELEASE)") $(if $(YES),--yes)
secret: $(RUNS) ## Give a secret another value: ENV=dev NAME=CONTACT_SECRET; it asks for the value
	@$(BIN)/python infra/deploy.py secret "$(ENV)" --name "$(NAME)" $(if $(FORGET),--forget)
snippet: ## Build the browser snippet from its source (needs Node)
	cd shared/warmlead/web/snippet && \
	  npx --yes esbuild@0.28.2 snippet.js --minify --target=es2021 --outfile=warmlead.js --log-level=warning && \
	  sha256sum snippet.js warmlead.js > SHA256SUMS
countries: $(READY) ## Write the names of countries in all languages from the locked babel
	$(BIN)/python infra/country_names.py
schemas: $(RUNS) ## Write the JSON Schemas and examples of all messages into docs/messages
	@$(BIN)/python infra/schemas.py
sample-year: $(RUNS) ## Make up the leads of docs/calibration.md
	@$(BIN)/python infra/sample_year.py
senders: $(RUNS) ## Write the page of all senders, docs/senders.md
	@$(BIN)/python infra/senders.py
fixtures: $(READY) ## Sign the fixtures of a sender, and print what they mean; SENDER=name
	@PYTHONPATH=tests $(BIN)/python -m senders.signed_fixtures "$(SENDER)"
inventory: $(RUNS) ## Write infra/inventory.json, which Terraform reads, from the tables of the code
	@$(BIN)/python infra/inventory.py
provider-schema: $(READY) ## Write the schema of Google's provider, as far as our Terraform uses it (npm)
	@$(BIN)/python infra/provider_schema.py
screenshots: $(READY) ## Draw the pictures of docs/dashboard.md and docs/calibration.md (needs Chromium)
	@$(BIN)/python infra/screenshots.py
	@$(BIN)/python infra/calibration_pictures.py
drawing: ## Draw docs/architecture.svg
	@$(PYTHON) infra/architecture.py
picture: $(RUNS) ## Draw what the README shows, from the demo and pyproject.toml
	@$(BIN)/python infra/demo_picture.py
	@$(BIN)/python infra/badges.py
lock: $(READY) ## Lock all requirements with hashes, for development and for each function
	$(BIN)/python infra/lock.py
checkov-lock: $(READY) ## Lock what checkov needs
	$(BIN)/uv pip compile infra/locks/checkov.in --quiet --universal --generate-hashes \
	  --python-version 3.11 --custom-compile-command "make checkov-lock" -o infra/locks/checkov.txt
lock-check: $(READY) ## Fail if a lock is older than pyproject.toml
	$(BIN)/python infra/lock.py --check
clean: ## Remove what was built; .warmlead/ (your data) stays
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# An environment without a working pip is half-made, whatever interrupted it, and is made anew.
define ENVIRONMENT
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Warmlead needs Python 3.11 or newer: make PYTHON=python3.12 setup")'
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { rm -rf $(VENV); $(PYTHON) -m venv $(VENV) >/dev/null 2>&1; } || { \
	  rm -rf $(VENV); \
	  echo "This Python cannot make virtual environments. On Debian and Ubuntu install what it lacks:" >&2; \
	  echo "    sudo apt install python3-venv" >&2; \
	  echo "and run make again. ($(PYTHON) -m venv $(VENV) says more.)" >&2; exit 1; }
endef
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check

$(RUNS): $(RUNTIME) pyproject.toml
	$(ENVIRONMENT)
	@echo "Setting up $(VENV): about a minute …"
	@$(PIP) --require-hashes -r $(RUNTIME)
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(READY): $(LOCK) pyproject.toml
	$(ENVIRONMENT)
	@echo "Setting up $(VENV) for work on it: a minute or two …"
	@$(PIP) --require-hashes -r $(LOCK)
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $(RUNS) $@

$(VENV)/checkov/.ready: infra/locks/checkov.txt $(RUNS)
	@$(PYTHON) -m venv $(VENV)/checkov
	@$(VENV)/checkov/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@
