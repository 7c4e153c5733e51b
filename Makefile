# Needs Python 3.11 or newer and make. Everything else is installed into .venv, once;
# it is installed again when pyproject.toml or constraints.txt changes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

PARALLEL := -n auto --dist worksteal

.PHONY: demo test test-slow explore lint format bench accuracy docs docs-build docs-serve constraints clean
.NOTPARALLEL:
.DELETE_ON_ERROR:

# 336,776 flights from Parquet to a scored model, in pond.duckdb
demo: $(VENV)/.demo
	$(BIN)/mlpond run flights
	@echo "mlpond is in $(BIN): type  . $(BIN)/activate  first. The duckdb shell: pip install duckdb-cli"

# All but the slow tests; those are the examples of the documentation, whole pipelines and the wheel.
test: $(VENV)/.test
	$(BIN)/python -m pytest $(PARALLEL) -m "not slow"

test-slow: $(VENV)/.test
	$(BIN)/python -m pytest $(PARALLEL) -m slow

# The tests of laws on examples that no run has seen, and more of them; `make test` repeats its own.
explore: $(VENV)/.test
	$(BIN)/python -m pytest $(PARALLEL) -m hypothesis --hypothesis-profile=explore

# mypy finds packages by their folders and does not read package-dir, which maps sql/ to
# mlpond.sql and so on. So it is shown a folder in which the packages stand under these names.
TYPED := build/typed
lint: $(VENV)/.lint
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	@rm -rf $(TYPED)/mlpond && mkdir -p $(TYPED)/mlpond
	@ln -s $(CURDIR)/mlpond/* $(foreach part,sql udfs pipelines seeds,$(CURDIR)/$(part)) $(TYPED)/mlpond
	cd $(TYPED) && $(CURDIR)/$(BIN)/mypy --config-file $(CURDIR)/pyproject.toml -p mlpond

format: $(VENV)/.lint
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(VENV)/.bench
	$(BIN)/python -m benchmarks

# Correct digits on NIST's reference data, beside numpy, scipy, statsmodels and scikit-learn.
accuracy: $(VENV)/.bench
	$(BIN)/python -m benchmarks.accuracy_nist

# The site in site/, and every example of it and of the README held against its output.
docs: docs-build
	$(BIN)/python -m pytest $(PARALLEL) tests/test_docs.py

docs-build: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

docs-serve: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs serve

# Everything that the targets above need, at today's newest versions.
constraints:
	rm -rf build/constraints && $(PYTHON) -m venv build/constraints
	build/constraints/bin/python -m pip install --quiet '.[report,test,lint,docs,bench]'
	build/constraints/bin/python -m pip freeze --exclude mlpond > constraints.txt

clean:
	rm -rf $(VENV) build site *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

# .venv/.test stands for `pip install -e '.[test]'`; the demo needs no extra, the docs run examples.
$(VENV)/.%: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing mlpond$(EXTRAS) into $(VENV) ..."
	@$(INSTALL) -e '.$(EXTRAS)'
	@touch $@
$(VENV)/.demo: EXTRAS :=
$(VENV)/.test: EXTRAS := [report,test]
$(VENV)/.lint: EXTRAS := [report,lint]
$(VENV)/.bench: EXTRAS := [bench]
$(VENV)/.docs: EXTRAS := [docs,report,test]

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "mlpond needs Python 3.11 or newer")'
	@$(PYTHON) -m venv $(VENV)
