# canter: the two commands a fresh clone needs are `make demo` and `make test`.
# Needed: Python 3.11 or newer and make. With a C compiler the compiled core is built too.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV ?= .venv
DEMO_BIND ?= 127.0.0.1:8000
PYTEST_ARGS ?=
TARGET ?= http1
SECONDS ?= 30

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

# The first Python that runs and is new enough; `make PYTHON=/path/to/python` chooses another.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

# What the compiled core is made from: every .py that has a .pxd or .pyx beside it, and those.
TYPED := $(shell find src -name '*.pxd' -o -name '*.pyx')
CORE := $(sort $(TYPED) $(wildcard $(addsuffix .py,$(basename $(TYPED)))))

.PHONY: help
help:
	@echo "make demo      serve the bundled demonstration at http://$(DEMO_BIND)"
	@echo "make test      run the whole test suite"
	@echo "make test-everything  the same, and it fails where a program is missing that a test runs"
	@echo "make lint      formatting, lint, types and import contracts"
	@echo "make coverage  the test suite again with branch coverage, and its floors"
	@echo "make fuzz      look for inputs that break the core: TARGET=http1|http2|uwsgi|fastcgi|scgi|proxy|static|... SECONDS=30"
	@echo "make format    let ruff rewrite what it can"
	@echo "make bench     canter beside its peers; bench-quick: beside its own last commit"
	@echo "make clean     remove what was built, and the environment"

$(BIN)/python:
	@if [ -z "$(PYTHON)" ]; then \
		echo "canter: Python 3.11 or newer was not found; make PYTHON=/path/to/python" >&2; exit 1; fi
	@$(PYTHON) -m venv $(VENV) || { \
		echo "canter: '$(PYTHON) -m venv' failed; some systems package venv apart from Python" >&2; \
		rm -rf $(VENV); exit 1; }

# Stamps: each is as new as the last installation that its inputs asked for.
$(VENV)/.installed: pyproject.toml setup.py | $(BIN)/python
	$(PIP) --editable .
	@touch $@ $(VENV)/.built
	@$(MAKE) --no-print-directory core

$(VENV)/.developed: pyproject.toml setup.py | $(BIN)/python
	$(PIP) --editable '.[dev]'
	@touch $@ $(VENV)/.installed $(VENV)/.built
	@$(MAKE) --no-print-directory core

# Compile again what has changed since. First the old ones go: one that does not compile any more
# must not go on running as it was.
define build
@changed=$$(find $(CORE) -newer $(VENV)/.built); \
if [ -n "$$changed" ]; then \
	for file in $$changed; do rm -f "$${file%.*}".*.so; done; \
	if $(BIN)/python -c 'import Cython, setuptools' 2>/dev/null; then \
		$(BIN)/python setup.py --quiet build_ext --inplace --parallel=4; \
	else \
		$(PIP) --editable .; \
	fi && touch $(VENV)/.built && $(MAKE) --no-print-directory core; \
fi
endef

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
	$(build)
	@exec $(BIN)/canter --bind $(DEMO_BIND) --threads 4 --access-logfile - canter.demo:app

# Both parts run in parallel; apart, so that live tests share the machine only with each other. A
# part in which the arguments given choose nothing is no failure (pytest's status 5).
define pytest
$(BIN)/python -m pytest --numprocesses=auto $(1) $(PYTEST_ARGS) $(if $(PYTEST_ARGS),|| [ $$? -eq 5 ])
endef

# The real Gunicorn, which the parity tests run beside canter; it must not share an environment with
# it. Where it cannot be had, its half of them is left out, by name.
PARITY_VENV := .parity-venv

$(PARITY_VENV)/.installed: | $(BIN)/python
	@$(BIN)/python -m venv $(PARITY_VENV) \
		&& $(PARITY_VENV)/bin/python -m pip install --quiet --disable-pip-version-check 'gunicorn==27.*' PasteDeploy \
		|| { echo "canter: Gunicorn 27 could not be installed in $(PARITY_VENV)" >&2; \
			rm -rf $(PARITY_VENV); exit 1; }
	@touch $@

.PHONY: parity-env
parity-env: $(PARITY_VENV)/.installed

.PHONY: test
test: $(VENV)/.developed
	-@$(MAKE) --no-print-directory parity-env
	$(build)
	@# As an installation does: the live tests start a thousand servers, and where the environment
	@# keeps Python from writing byte code each would compile every module anew.
	@$(BIN)/python -m compileall -q src tests
	$(call pytest,--ignore=tests/live)
	@# The protocols once more by the plain build: some of them are tested by what is imported alone.
	CANTER_EXTENSIONS=off $(call pytest,tests/protocol)
	$(call pytest,tests/live)

# As `make test`, but a program that is missing is a failure and not a test left out.
.PHONY: test-everything
test-everything: $(VENV)/.developed
	-@$(MAKE) --no-print-directory parity-env
	@$(BIN)/python -m tests.live.programs
	@$(MAKE) --no-print-directory test

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

$(VENV)/.fuzzing: pyproject.toml setup.py | $(VENV)/.developed
	@$(PIP) 'atheris>=3.0' || { \
		echo "canter: atheris could not be installed on $$($(BIN)/python -V), so there is no" \
			"fuzzing; it has wheels for some versions of CPython on Linux" >&2; exit 1; }
	@touch $@

.PHONY: fuzz
fuzz: $(VENV)/.developed $(VENV)/.fuzzing
	$(build)
	$(BIN)/python -m fuzz $(TARGET) --seconds $(SECONDS)

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
	rm -rf $(VENV) $(PARITY_VENV)

# The peers live in an environment of their own; see benchmarks/README.md.
BENCH_VENV ?= .bench-venv
BENCH_ARGS ?=

.PHONY: bench
bench: $(VENV)/.installed
	$(BIN)/python -m benchmarks run --venv $(BENCH_VENV) $(BENCH_ARGS)

.PHONY: bench-quick
bench-quick: $(VENV)/.installed
	$(BIN)/python -m benchmarks quick --venv $(BENCH_VENV) $(BENCH_ARGS)
