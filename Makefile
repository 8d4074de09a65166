# All that a developer does. `make run` and `make test` need Python 3.11+ and make, nothing else.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/pip install --quiet --disable-pip-version-check
# What running needs, and what the tests and the tools need as well: files that say "is installed".
RUN    := $(VENV)/.installed-run
STAMP  := $(VENV)/.installed
# Two generators of clients, each with its own environment.
NODE_CLIENT   := openapi/typescript/node_modules/.installed
PYTHON_CLIENT := openapi/python/.venv/.installed
HAS_NODE := command -v npm > /dev/null && node --eval \
	'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)'

.DEFAULT_GOAL := help
.PHONY: help run demo test suite clients lint format openapi docs migrate bench lock clean

help:            ## Say what each target does
	@grep -E '^[a-z]+: *.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## */\t/' | expand -t 12

run: $(RUN)      ## Set up what running needs and serve on http://127.0.0.1:8000
	@echo "The command is $(BIN)/palaver; all it does: $(BIN)/palaver --help"
	@exec $(BIN)/palaver serve

demo: $(RUN)     ## Fill the forum, running or not, with people and threads to look at
	@$(BIN)/palaver demo

test: suite      ## Set everything up and run the whole suite; with Node.js, the clients too
	@if $(HAS_NODE) && $(MAKE) -s $(NODE_CLIENT) $(PYTHON_CLIENT); then $(MAKE) -s clients; \
	else echo "Skipped: make clients. It needs Node.js 20.19 or newer, npm, and npm's registry."; fi

# Keeps bytecode, whatever the shell says: otherwise each test process compiles all tests again.
suite: $(STAMP)
	PYTHONDONTWRITEBYTECODE= $(BIN)/pytest

clients: $(RUN) $(NODE_CLIENT) $(PYTHON_CLIENT) ## Build clients from openapi.json and try them on a server
	.ci/clients

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

docs: $(RUN)     ## Write the pages of docs/ that are generated from the code
	$(BIN)/python docs/generate.py

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
	$(BIN)/uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-header \
		--group clients -o requirements/clients.txt

clean:           ## Remove the environment and the caches, never the data in .palaver/
	rm -rf $(VENV) openapi/python/.venv openapi/typescript/node_modules openapi/*/generated .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info

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

$(NODE_CLIENT): openapi/typescript/package-lock.json
	@$(HAS_NODE) || { echo "make clients needs Node.js 20.19 or newer and npm."; exit 1; }
	cd openapi/typescript && npm ci --ignore-scripts --prefer-offline --loglevel=error
	@touch $@

$(PYTHON_CLIENT): requirements/clients.txt
	$(PYTHON) -m venv openapi/python/.venv
	openapi/python/.venv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@
