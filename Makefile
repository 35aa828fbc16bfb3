# Every target first creates the virtual environment if it does not exist.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SEEDS ?= 20000
SHAPE ?= plain
SECONDS ?= 75
SEED ?= 1
SCOPES ?= ci
STACK ?= dev
SERVERS := .servers
DYNOXIDE := 3.2.0
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes
ENGINE := .engine
SITE := .docs
MERMAID := 11.17.2
MERMAID_SHA256 := 6ad2f42c3fc26bbf9e45cbb6d11898972573ea52b33a5f4ff51952899f950ffd
# Version of the CLI; that of the Python package may differ.
PULUMI = $(shell sed -n 's|^require github.com/pulumi/pulumi/pkg/v3 ||p' local/pulumi-cli/go.mod)

.PHONY: help setup demo rehearsal local test test-fast test-all lint types simulate exhaust mutants remedies bench bench-check soak check clean \
	dynamodb-servers engine browser locks upgrade docs docs-reference component-schema

help:
	@echo 'make setup     create the virtual environment .venv (every other target does this, too)'
	@echo 'make demo      run a ring on this machine through a demo in nine steps (some seconds)'
	@echo 'make rehearsal lose a region of a ring on this machine, and let it back in (two minutes)'
	@echo 'make local     run a ring on this machine to try it (STACK=dev PORT=8000)'
	@echo 'make test-fast run the unit tests: no process, no server (under a minute)'
	@echo 'make test      run all tests but the long ones (some minutes)'
	@echo 'make test-all  run all tests, with the long ones, mutants and remedies: what CI runs'
	@echo 'make simulate  simulate the ring under random schedules (SEEDS=20000 SHAPE=plain)'
	@echo 'make exhaust   run every schedule of small scopes (SCOPES=ci, full or limits)'
	@echo 'make mutants   remove each rule of the protocol, and count the schedules until this is found'
	@echo 'make remedies  remove each handling of a failure, and check that a test fails'
	@echo 'make bench     compare a hop with alternatives to it (some minutes; PART=kind: one part)'
	@echo 'make bench-check'
	@echo '               measure memory and time of a check of few and many items (some minutes)'
	@echo 'make soak      run a ring on this machine under load and faults (SECONDS=75 SEED=1)'
	@echo 'make dynamodb-servers'
	@echo '               install MiniStack and dynoxide in $(SERVERS), for tests on more than moto'
	@echo '               (some minutes, once); dynoxide needs cargo'
	@echo 'make engine    build the Pulumi CLI, with YAML, in $(ENGINE) from Go modules (some minutes,'
	@echo '               once); needs go'
	@echo 'make browser   install Chromium with apt-get, for tests of the page; needs root'
	@echo 'make locks     update requirements*.txt after a change of a requirements*.in'
	@echo 'make upgrade   like locks, with the newest version of all that is not pinned'
	@echo 'make docs      build the site of docs/ into site/, strict about links'
	@echo 'make docs-reference'
	@echo '               write the references of settings, commands and alarms from the code'
	@echo 'make component-schema'
	@echo '               write component/schema.json from the settings'
	@echo 'make lint      check lint and format with ruff'
	@echo 'make types     check types with mypy --strict'
	@echo 'make check     lint, types, test-all, simulate, exhaust, demo, rehearsal and soak, as in CI'
	@echo 'make clean     remove the virtual environment, servers, engine and caches'

$(READY): requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "dynamodb-ring needs Python 3.11 or later; this is " + sys.version.split()[0] + ". Say which to use: make PYTHON=python3.13 ...")'
	@echo 'Setting up $(VENV), once (a minute or two) ...'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

setup: $(READY)

demo: $(READY)
	@$(BIN)/python -m local.demo.first_act

rehearsal: $(READY)
	@$(BIN)/python -m local.demo.rehearsal

local: $(READY)
	@$(BIN)/python automate.py local --stack $(STACK) $(if $(PORT),--port $(PORT)) $(if $(DYNAMODB),--dynamodb $(DYNAMODB))

PYTEST = $(BIN)/python -m pytest --dist loadfile

test-fast: $(READY)
	$(PYTEST) -n 2 -m 'not long' tests/unit tests/architecture

test: $(READY)
	$(PYTEST) -n 2 -m 'not long'

# Three for two processors: many of these tests wait for processes, and two would leave a third of the time.
test-all: $(READY)
	$(PYTEST) -n 3

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy .

simulate: $(READY)
	@$(BIN)/python -m tests.simulation --shape $(SHAPE) --seeds $(SEEDS)

exhaust: $(READY)
	@$(BIN)/python -m tests.exhaust --requests
	@$(BIN)/python -m tests.exhaust --set $(SCOPES) --processes 2

mutants: $(READY)
	@$(BIN)/python -m tests.mutation.mutants

remedies: $(READY)
	@$(BIN)/python -m tests.mutation.remedies

bench: $(READY)
	@$(BIN)/python -m benchmarks $(foreach part,$(PART),--part $(part))

bench-check: $(READY)
	@$(BIN)/python -m benchmarks.check_memory

soak: $(READY)
	@$(BIN)/python -m benchmarks.soak --seconds $(SECONDS) --seed $(SEED)

# MiniStack first, as it only needs Python.
dynamodb-servers: $(SERVERS)/ministack/.ready $(SERVERS)/bin/dynoxide

$(SERVERS)/ministack/.ready: local/ministack/requirements.txt
	@echo 'Setting up MiniStack in $(SERVERS), once ...'
	@$(PYTHON) -m venv $(SERVERS)/ministack
	@$(SERVERS)/ministack/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(SERVERS)/bin/dynoxide:
	@command -v cargo >/dev/null || { \
	  echo "cargo is not on the path, and dynoxide is a Rust program. Install Rust 1.88 or later" \
	    "(https://rustup.rs). Without dynoxide, its tests are skipped." >&2; \
	  exit 3; }
	@echo 'Building dynoxide $(DYNOXIDE) into $(SERVERS), once (some minutes) ...'
	@cargo install dynoxide-rs --version $(DYNOXIDE) --locked --no-default-features \
	  --features cli,http-server,native-sqlite --root $(SERVERS) --quiet

# A lock has every package with the hashes of all its files, for Python 3.11 or later on any system.
locks: $(READY)
	$(BIN)/$(LOCK) requirements.in -o requirements.txt
	$(BIN)/$(LOCK) requirements-dev.in -o requirements-dev.txt
	$(BIN)/$(LOCK) docs/requirements.in -o docs/requirements.txt
	$(BIN)/$(LOCK) local/ministack/requirements.in -o local/ministack/requirements.txt

upgrade: LOCK += --upgrade
upgrade: locks

docs: $(SITE)/.ready docs/assets/mermaid.min.js
	@NO_MKDOCS_2_WARNING=1 $(SITE)/bin/mkdocs build --strict
	@echo 'Built: site/index.html (python3 -m http.server -d site)'

$(SITE)/.ready: docs/requirements.txt
	@echo 'Setting up the site generator in $(SITE), once ...'
	@$(PYTHON) -m venv $(SITE)
	@$(SITE)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

# The diagrams' renderer, so that the site loads nothing from another host. Without npm, browsers
# get it from unpkg.com.
docs/assets/mermaid.min.js: Makefile
	@command -v npm >/dev/null || { echo 'npm is not on the path: diagrams will load from unpkg.com.' >&2; touch $@; exit; }; \
	mkdir -p $(SITE) && cd $(SITE) && npm pack --silent mermaid@$(MERMAID) >/dev/null && \
	echo '$(MERMAID_SHA256)  mermaid-$(MERMAID).tgz' | sha256sum --check --quiet && \
	tar -xzOf mermaid-$(MERMAID).tgz package/dist/mermaid.min.js > $(CURDIR)/$@

docs-reference: $(READY)
	@$(BIN)/python -m docs.generate

component-schema: $(READY)
	@$(BIN)/python -m component.schema

# Debian's and Ubuntu's package; elsewhere install Chromium as usual there.
browser:
	@command -v chromium google-chrome >/dev/null || { apt-get update -q && apt-get install -y -q chromium; } >/dev/null

engine: $(ENGINE)/bin/pulumi $(ENGINE)/bin/pulumi-language-yaml

$(ENGINE)/bin/pulumi: local/pulumi-cli/go.mod local/pulumi-cli/tools.go
	@command -v go >/dev/null || { \
	  echo "go is not on the path, and the Pulumi CLI is a Go program. Install Go 1.26 or later, or" \
	    "the CLI itself (https://www.pulumi.com/docs/install/). Without it, its tests are skipped." >&2; \
	  exit 3; }
	@echo 'Building the Pulumi CLI $(PULUMI) into $(ENGINE), once (some minutes) ...'
	@cd local/pulumi-cli && go build -trimpath -buildvcs=false \
	  -ldflags "-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=$(PULUMI)" \
	  -o "$(CURDIR)/$@" github.com/pulumi/pulumi/pkg/v3/cmd/pulumi
	@touch $@

# After the CLI, which says so when Go is missing; together, they would wait for the same processors.
$(ENGINE)/bin/pulumi-language-yaml: local/pulumi-yaml/go.mod local/pulumi-yaml/tools.go | $(ENGINE)/bin/pulumi
	@echo "Building Pulumi's host of YAML programs into $(ENGINE), once (some minutes) ..."
	@cd local/pulumi-yaml && go build -trimpath -buildvcs=false -ldflags "-s -w" \
	  -o "$(CURDIR)/$@" github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml
	@touch $@

check: lint types test-all simulate exhaust demo rehearsal soak

clean:
	rm -rf $(VENV) $(SERVERS) $(ENGINE) $(SITE) site docs/assets/mermaid.min.js .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
