# All that a developer does. `make run` and `make test` need Python 3.11+ and make, nothing else.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/pip install --quiet --disable-pip-version-check
# What running needs, and what the tests and the tools need as well: files that say "is installed".
RUN    := $(VENV)/.installed-run
STAMP  := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help run demo test lint format openapi migrate bench lock clean

help:            ## Say what each target does
	@grep -E '^[a-z]+: *.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## */\t/' | expand -t 12

run: $(RUN)      ## Set up what running needs and serve on http://127.0.0.1:8000
	@echo "The command is $(BIN)/palaver; all it does: $(BIN)/palaver --help"
	@exec $(BIN)/palaver serve

demo: $(RUN)     ## Fill the forum, running or not, with people and threads to look at
	@$(BIN)/palaver demo

test: $(STAMP)   ## Set everything up and run the whole suite
	$(BIN)/pytest

lint: $(STAMP)   ## Style, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP) ## Rewrite the code in the project's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

openapi: $(RUN)  ## Write openapi/openapi.json from the code
	$(BIN)/palaver openapi openapi/openapi.json

migrate: $(RUN)  ## Migrate the database to the newest schema
	$(BIN)/palaver migrate

bench: $(STAMP)  ## Measure, and print the table
	$(BIN)/python -m benchmarks

lock: $(STAMP)   ## Pin the newest allowed versions, with hashes
	$(BIN)/uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-header \
		pyproject.toml -o requirements/run.txt
	$(BIN)/uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-header \
		pyproject.toml --group dev -c requirements/run.txt -o requirements/dev.txt
	$(BIN)/uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-header \
		--group build -o requirements/build.txt

clean:           ## Remove the environment and the caches, never the data in .palaver/
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info

$(RUN): requirements/run.txt requirements/build.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Palaver needs Python 3.11 or newer; say which with: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) --require-hashes -r requirements/build.txt -r requirements/run.txt
	$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(STAMP): $(RUN) requirements/dev.txt
	$(PIP) --require-hashes -r requirements/dev.txt
	@touch $@
