# Everything a developer does. `make run` and `make test` need Python 3.11+ and make, nothing else.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help run test lint format openapi migrate bench lock clean

help:            ## Say what each target does
	@grep -E '^[a-z]+: *.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## */\t/' | expand -t 12

run: $(STAMP)    ## Set everything up and serve on http://127.0.0.1:8000
	@exec $(BIN)/palaver serve

test: $(STAMP)   ## Set everything up and run the whole suite
	$(BIN)/pytest

lint: $(STAMP)   ## Style, types, floors
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP) ## Rewrite the code in the house's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

openapi: $(STAMP) ## Write openapi/openapi.json from the code
	$(BIN)/palaver openapi openapi/openapi.json

migrate: $(STAMP) ## Bring the database to the newest revision
	$(BIN)/palaver migrate

bench: $(STAMP)  ## Measure, and print the table
	$(BIN)/python -m benchmarks

lock: $(STAMP)   ## Pin the newest allowed versions, with hashes
	$(BIN)/uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-header \
		pyproject.toml -o requirements/run.txt
	$(BIN)/uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-header \
		pyproject.toml --group dev -c requirements/run.txt -o requirements/dev.txt

clean:           ## Remove the environment and the caches, never the data in .palaver/
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info

$(STAMP): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Palaver needs Python 3.11 or newer; say which with: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
