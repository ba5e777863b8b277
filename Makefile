# canter: the two commands a fresh clone needs are `make demo` and `make test`.
# Needed: Python 3.11 or newer and make. With a C compiler the compiled core is built too.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV ?= .venv
DEMO_BIND ?= 127.0.0.1:8000
PYTEST_ARGS ?=

BIN := $(VENV)/bin

# The first Python that runs and is new enough; `make PYTHON=/path/to/python` chooses another.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

# What the compiled core is made from: every .py that has a .pxd beside it, and the two lists.
PXD := $(shell find src -name '*.pxd')
CORE := $(PXD) $(wildcard $(PXD:.pxd=.py))
BUILD_INPUTS := pyproject.toml $(wildcard setup.py) $(CORE)

.PHONY: help
help:
	@echo "make demo      serve the bundled demonstration at http://$(DEMO_BIND)"
	@echo "make test      run the whole test suite"
	@echo "make lint      formatting, lint, types and import contracts"
	@echo "make coverage  the test suite again with branch coverage, and its floors"
	@echo "make format    let ruff rewrite what it can"
	@echo "make clean     remove what was built, and the environment"

$(BIN)/python:
	@if [ -z "$(PYTHON)" ]; then \
		echo "canter: Python 3.11 or newer was not found; make PYTHON=/path/to/python" >&2; exit 1; fi
	@$(PYTHON) -m venv $(VENV) || { \
		echo "canter: '$(PYTHON) -m venv' failed; some systems package venv apart from Python" >&2; \
		rm -rf $(VENV); exit 1; }

# Stamps: each is as new as the last installation that its inputs asked for.
$(VENV)/.installed: $(BUILD_INPUTS) | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@$(MAKE) --no-print-directory core
	@touch $@

$(VENV)/.developed: $(BUILD_INPUTS) | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@$(MAKE) --no-print-directory core
	@touch $@ $(VENV)/.installed

.PHONY: core
core:
	@core=$$($(BIN)/python -c 'from canter.extensions import build; print(build())') || exit 1; \
	if [ "$$core" = compiled ]; then \
		echo "canter: the compiled core is used"; \
	elif [ "$$CANTER_EXTENSIONS" = off ]; then \
		echo "canter: the plain core is used, as CANTER_EXTENSIONS=off asks"; \
	elif command -v $${CC:-cc} >/dev/null 2>&1; then \
		echo "canter: the plain core is used: $${CC:-cc} could not build the compiled one" \
			"(same behaviour, slower; are Python's C headers installed?)"; \
	else \
		echo "canter: the plain core is used: no C compiler was found (same behaviour, slower)"; \
	fi

.PHONY: demo
demo: $(VENV)/.installed
	@echo "canter: the demonstration is at http://$(DEMO_BIND) (Ctrl-C ends it)"
	@exec $(BIN)/canter --bind $(DEMO_BIND) --threads 4 --access-logfile - canter.demo:app

# What decides runs on every core; the live tests start servers and would only disturb each other.
.PHONY: test
test: $(VENV)/.developed
	$(BIN)/python -m pytest --ignore=tests/live --numprocesses=auto $(PYTEST_ARGS)
	@if [ -d tests/live ]; then \
		for tool in curl wrk; do command -v $$tool >/dev/null 2>&1 || \
			echo "canter: left out: the live tests that need $$tool (not installed)"; done; \
		echo $(BIN)/python -m pytest tests/live $(PYTEST_ARGS); \
		$(BIN)/python -m pytest tests/live $(PYTEST_ARGS); fi

.PHONY: lint
lint: $(VENV)/.developed
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

# The plain core: a compiled module cannot be traced, and it is the same source.
.PHONY: coverage
coverage: $(VENV)/.developed
	$(BIN)/coverage erase
	CANTER_EXTENSIONS=off $(BIN)/coverage run -m pytest $(PYTEST_ARGS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage json --quiet -o coverage.json
	$(BIN)/python tools/coverage_floors.py coverage.json

.PHONY: format
format: $(VENV)/.developed
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

.PHONY: clean
clean:
	rm -rf build dist .coverage .coverage.* coverage.json .mypy_cache .ruff_cache .pytest_cache
	rm -rf .import_linter_cache .hypothesis src/*.egg-info
	find src tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
	find src \( -name '*.so' -o -name '*.c' \) -exec rm -f {} +
	rm -rf $(VENV)
