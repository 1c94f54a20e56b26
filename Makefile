# Everything a person or CI runs. `make help` lists the targets.
# Needs only Python 3.11+, pip and make; all else is installed into .venv, pinned and hashed.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check install --quiet
RUN    := $(VENV)/.installed
DEV    := $(VENV)/.installed-dev
EXTRA  := $(VENV)/.installed-semantic
MODEL  := $(CURDIR)/.cache/model
DEMO   ?= demo-out

.DEFAULT_GOAL := help
.PHONY: help demo model test check lint type imports unused docs bench build format lock clean

help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

# A Python without ensurepip (Debian's base) still has pip, and pip has virtualenv.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "paperdigest needs Python 3.11 or newer; set PYTHON=…"; exit 1; }
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || { rm -rf $(VENV) && $(PYTHON) -m pip install --quiet --target $(VENV)-bootstrap virtualenv && PYTHONPATH=$(VENV)-bootstrap $(PYTHON) -m virtualenv --quiet $(VENV) && rm -rf $(VENV)-bootstrap; }

$(RUN): $(BIN)/python requirements.lock pyproject.toml
	@echo "installing paperdigest into $(VENV) (once) …"
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): $(RUN) requirements-dev.lock
	@echo "installing the test tools into $(VENV) (once) …"
	@$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@

# Ranking works without the model; with it, it works better. Where it cannot be had, all goes on without.
$(EXTRA): $(RUN) requirements-semantic.lock
	@echo "installing what runs the vector model (once) …"
	@$(PIP) --require-hashes -r requirements-semantic.lock
	@touch $@

model: $(EXTRA) ## obtain the vector model (a download of 84 MB, once)
	@test -f $(MODEL)/manifest.json || PAPERDIGEST_MODEL=$(MODEL) $(BIN)/paperdigest model install

demo: $(RUN) ## the whole pipe, offline, on the packaged sample listing
	@PIP_RETRIES=1 $(MAKE) --silent model || echo "the vector model cannot be had now: ranking by words alone"
	@PAPERDIGEST_MODEL=$(MODEL) $(BIN)/paperdigest demo --out $(DEMO)

test: $(DEV) ## the tests
	@$(MAKE) --silent model || echo "the vector model cannot be had now: its tests are skipped, or fail in CI"
	@$(BIN)/python -m pytest -q -n 2

check: lint type imports unused docs build model ## everything that CI runs
	@$(BIN)/python -m pytest -q -n 2 --cov --cov-report=term --cov-fail-under=90

lint: $(DEV) ## ruff: style, and formatting
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .

type: $(DEV) ## mypy --strict on src, tests and bench
	@$(BIN)/mypy

imports: $(DEV) ## who may import whom
	@$(BIN)/lint-imports --no-cache

unused: $(DEV) ## dead code, and dependencies declared but not used or used but not declared
	@$(BIN)/vulture
	@$(BIN)/deptry src

docs: $(DEV) ## run the code blocks of README and docs
	@$(BIN)/python -m pytest -q tests/docs

bench: $(DEV) ## measured comparisons, as ratios to a peer timed in the same run
	@$(BIN)/python -m bench

build: $(DEV) ## wheel and sdist
	@$(BIN)/python -m build --no-isolation --outdir dist . >/dev/null && ls dist

format: $(DEV) ## write code as ruff wants it
	@$(BIN)/ruff check --quiet --fix . ; $(BIN)/ruff format --quiet .

lock: $(DEV) ## pin the newest versions anew (needs uv)
	@uv pip compile --quiet --upgrade --universal --only-binary :all: --generate-hashes --no-header --no-annotate --python-version 3.11 requirements.in -o requirements.lock
	@uv pip compile --quiet --upgrade --universal --only-binary :all: --generate-hashes --no-header --no-annotate --python-version 3.11 requirements-semantic.in -o requirements-semantic.lock
	@uv pip compile --quiet --upgrade --universal --only-binary :all: --no-binary dkimpy --generate-hashes --no-header --no-annotate --python-version 3.11 requirements-dev.in -o requirements-dev.lock

clean: ## remove what the targets made
	@rm -rf $(VENV) .cache dist $(DEMO) .mypy_cache .ruff_cache .pytest_cache .hypothesis
