# `make run` and `make test` also install what they need.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help run test check unit acceptance format golden fuzz fuzz-proof reference docs screenshots bench bench-lint dist image lock clean
.DEFAULT_GOAL := help

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## */  make \1|/' | column -t -s '|'

# --- set-up: repeated only when a lock or the package's metadata changed ---

$(BIN)/python:
	@echo "[set-up] creating $(VENV)"
	@$(PYTHON) -c 'import sys; v = sys.version_info; v < (3, 11) and sys.exit("Crossgate needs Python 3.11 or newer; this is %d.%d. Try: make PYTHON=python3.12" % v[:2])'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements.lock requirements-build.lock pyproject.toml | $(BIN)/python
	@echo "[set-up] installing the dependencies"
	@$(BIN)/pip install --require-hashes -r requirements.lock -r requirements-build.lock
	@echo "[set-up] installing crossgate"
	@$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	@echo "[set-up] installing the development tools"
	@$(BIN)/pip install --require-hashes -r requirements-dev.lock
	@touch $@

$(VENV)/.bench: requirements-bench.lock $(VENV)/.dev
	@echo "[set-up] installing the benchmarks' dependencies"
	@$(BIN)/pip install --require-hashes -r requirements-bench.lock
	@touch $@

$(VENV)/.packages: requirements.lock scripts/fetch-packages tests/package/pythons.py $(VENV)/.dev
	@scripts/fetch-packages
	@touch $@

# --- for users ---

run: $(VENV)/.runtime  ## run the example: native services, a page, and the gateway in front of them
	@$(BIN)/python -m examples.run

# --- for contributors ---

check: $(VENV)/.dev  ## check style, types and layers, in under a minute
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache | tail -n 5

format: $(VENV)/.dev  ## format the code
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format --quiet .

unit: $(VENV)/.dev $(VENV)/.packages  ## run the tests that need neither Envoy nor a browser
	@$(BIN)/pytest -m "not live and not browser"

test: check $(VENV)/.packages  ## run everything that a contribution must pass
	@scripts/prerequisites chromium postgresql prometheus systemd
	@$(BIN)/pytest -n 2 --dist loadfile

acceptance: $(VENV)/.packages  ## run what takes long: servlet containers, floods, long streams, kills, an outage of the database, load balancers, container images, other Pythons
	@scripts/prerequisites tomcat10 jetty9 wrk postgresql systemd nginx haproxy debootstrap podman runc netavark aardvark-dns iptables
	@$(BIN)/pytest -q -s tests/acceptance

golden: $(VENV)/.dev  ## write the golden files; then read the diff
	@CROSSGATE_WRITE_GOLDENS=1 $(BIN)/pytest -q -p no:randomly tests/golden tests/unit/test_messages.py

fuzz: $(VENV)/.dev  ## compare the engine with Envoy on random policies and requests (PAIRS, default 1,000,000; SEED)
	@CROSSGATE_PAIRS=$(or $(PAIRS),1000000) CROSSGATE_SEED=$(or $(SEED),1) $(BIN)/pytest -q tests/live/test_differential.py

fuzz-proof: $(VENV)/.dev  ## run the fuzzers of the proof (SECONDS each, default 60; SEED)
	@PYTHONPATH=src $(BIN)/python -m tests.fuzz_proof $(or $(SECONDS),60) $(or $(SEED),1)

reference: $(VENV)/.dev  ## generate the reference pages
	@$(BIN)/python scripts/reference.py

docs: $(VENV)/.dev  ## build the documentation as a site, in site/
	@$(BIN)/python scripts/docs_site.py site
	@echo "[docs] open site/index.html"

screenshots: $(VENV)/.dev  ## take the pictures of the console in docs/, from the running example (NAMES, default all)
	@scripts/prerequisites chromium
	@PYTHONPATH=src:. $(BIN)/python scripts/screenshots.py $(NAMES)

bench: $(VENV)/.bench  ## run the benchmarks; about eleven minutes
	@scripts/prerequisites nginx valgrind wrk
	@echo "[bench] 1 of 11: the gateway against the same Envoy with less to do, and nginx"
	@PYTHONPATH=src $(BIN)/python -m bench.gateway
	@echo "[bench] 2 of 11: changes, and many APIs"
	@PYTHONPATH=src $(BIN)/python -m bench.propagation
	@echo "[bench] 3 of 11: changes through the admin API, with a store"
	@PYTHONPATH=src $(BIN)/python -m bench.store_propagation
	@echo "[bench] 4 of 11: pages of the admin API over 100,000 applications"
	@PYTHONPATH=src $(BIN)/python -m bench.admin_pages
	@echo "[bench] 5 of 11: an admin's calls while eight viewers do their worst"
	@PYTHONPATH=src $(BIN)/python -m bench.admin_load
	@echo "[bench] 6 of 11: the middleware against the other CORS middlewares"
	@PYTHONPATH=src $(BIN)/python -m bench.middleware
	@echo "[bench] 7 of 11: instructions of a request (AGAINST=REVISION compares)"
	@PYTHONPATH=src $(BIN)/python -m bench.instructions $(if $(AGAINST),--against $(AGAINST))
	@echo "[bench] 8 of 11: the page of metrics with 60,000 series"
	@PYTHONPATH=src $(BIN)/python -m bench.metrics
	@echo "[bench] 9 of 11: the gateway with more and less telemetry"
	@PYTHONPATH=src $(BIN)/python -m bench.telemetry
	@echo "[bench] 10 of 11: telemetry in the store"
	@PYTHONPATH=src:. $(BIN)/python -m bench.telemetry_store
	@echo "[bench] 11 of 11: pages of the console over much data"
	@PYTHONPATH=src:. $(BIN)/python -m bench.console

bench-lint: $(VENV)/.dev  ## run the linter's benchmark (GIXY="command ..." compares it with gixy)
	@PYTHONPATH=src $(BIN)/python -m bench.lint $(GIXY)

dist: $(VENV)/.dev  ## build the source distribution and the wheel in dist/
	@rm -rf dist
	@$(BIN)/python -m hatchling build

image: dist  ## build the container image crossgate:VERSION with podman (PODMAN="podman …", BUILD="options of podman build")
	@version=$$($(BIN)/python -c 'import crossgate; print(crossgate.__version__)'); \
	$(or $(PODMAN),podman) build --format docker --file deploy/container/Containerfile \
	    --build-arg VERSION=$$version --tag crossgate:$$version $(BUILD) .

lock: $(VENV)/.dev  ## update the dependency locks
	@scripts/lock

clean:  ## remove the environment, the caches, and what was built
	rm -rf $(VENV) dist site .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .cache
