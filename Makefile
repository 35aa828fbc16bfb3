# Everything sets itself up: the first target called makes the virtual environment.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SEEDS ?= 20000
SHAPE ?= plain
STACK ?= dev
PORT ?= 8000
SERVERS := .servers
DYNOXIDE := 3.2.0
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes
ENGINE := .engine
# The CLI's version, which Go modules and PyPI need not serve alike.
PULUMI = $(shell sed -n 's|^require github.com/pulumi/pulumi/pkg/v3 ||p' local/pulumi-cli/go.mod)

.PHONY: help setup demo local test test-fast test-all lint types simulate mutants remedies bench bench-check check clean \
	dynamodb-servers engine locks upgrade

help:
	@echo 'make setup     the virtual environment .venv alone, which all others make as well'
	@echo 'make demo      the ring on this machine, told as a story (about a minute)'
	@echo 'make local     the ring on this machine, to play with (STACK=dev)'
	@echo 'make test-fast unit tests: no process, no server (under a minute)'
	@echo 'make test      all tests but the long ones (some minutes)'
	@echo 'make test-all  all tests: with the long ones, mutants and remedies too; what CI runs'
	@echo 'make simulate  the whole ring under random schedules (SEEDS=20000 SHAPE=plain)'
	@echo 'make mutants   each rule of the protocol taken out, and after how many schedules it shows'
	@echo 'make remedies  each thing that is done about failures taken out, and the test that fails then'
	@echo 'make bench     what a hop costs beside what people use today (some minutes; PART=kind: that alone)'
	@echo 'make bench-check'
	@echo '               how much memory and time a check takes, of few items and of many (some minutes)'
	@echo 'make dynamodb-servers'
	@echo '               MiniStack and dynoxide in $(SERVERS), for tests on more than moto (some minutes,'
	@echo '               once): needs cargo for dynoxide'
	@echo 'make engine    the Pulumi CLI in $(ENGINE), built from Go modules (some minutes, once): needs go'
	@echo 'make locks     the requirements*.txt anew after a change of a requirements*.in; make upgrade'
	@echo '               also takes the newest of what no .in pins'
	@echo 'make lint      ruff: lint and format'
	@echo 'make types     mypy, strict'
	@echo 'make check     lint, types, test, simulate and demo: what CI runs'
	@echo 'make clean     remove the virtual environment and caches'

$(READY): requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "dynamodb-ring needs Python 3.11 or later; this is " + sys.version.split()[0] + ". Say which to use: make PYTHON=python3.13 ...")'
	@echo 'Setting up $(VENV), once (a minute or two) ...'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

setup: $(READY)

demo: $(READY)
	@$(BIN)/python -m local.demo.first_act

local: $(READY)
	@$(BIN)/python automate.py local --stack $(STACK) $(if $(DYNAMODB),--dynamodb $(DYNAMODB))

PYTEST = $(BIN)/python -m pytest -n 2 --dist loadfile

test-fast: $(READY)
	$(PYTEST) tests/unit tests/architecture

test: $(READY)
	$(PYTEST) -m 'not long'

test-all: $(READY)
	$(PYTEST)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy .

simulate: $(READY)
	@$(BIN)/python -m tests.simulation --shape $(SHAPE) --seeds $(SEEDS)

mutants: $(READY)
	@$(BIN)/python -m tests.mutation.mutants

remedies: $(READY)
	@$(BIN)/python -m tests.mutation.remedies

bench: $(READY)
	@$(BIN)/python -m benchmarks $(foreach part,$(PART),--part $(part))

bench-check: $(READY)
	@$(BIN)/python -m benchmarks.check_memory

# MiniStack first: it needs nothing but Python.
dynamodb-servers: $(SERVERS)/ministack/.ready $(SERVERS)/bin/dynoxide

$(SERVERS)/ministack/.ready: local/ministack/requirements.txt
	@echo 'Setting up MiniStack in $(SERVERS), once ...'
	@$(PYTHON) -m venv $(SERVERS)/ministack
	@$(SERVERS)/ministack/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(SERVERS)/bin/dynoxide:
	@command -v cargo >/dev/null || { \
	  echo "cargo is not on the path: dynoxide is a Rust program. Install Rust 1.88 or later" \
	    "(https://rustup.rs), or go without: its tests are skipped then." >&2; \
	  exit 3; }
	@echo 'Building dynoxide $(DYNOXIDE) into $(SERVERS), once (some minutes) ...'
	@cargo install dynoxide-rs --version $(DYNOXIDE) --locked --no-default-features \
	  --features cli,http-server,native-sqlite --root $(SERVERS) --quiet

# Each lock lists every package with the hashes of all its files, for Python 3.11 or later on any system.
locks: $(READY)
	$(BIN)/$(LOCK) requirements.in -o requirements.txt
	$(BIN)/$(LOCK) requirements-dev.in -o requirements-dev.txt
	$(BIN)/$(LOCK) local/ministack/requirements.in -o local/ministack/requirements.txt

upgrade: LOCK += --upgrade
upgrade: locks

engine: $(ENGINE)/bin/pulumi

$(ENGINE)/bin/pulumi: local/pulumi-cli/go.mod local/pulumi-cli/tools.go
	@command -v go >/dev/null || { \
	  echo "go is not on the path: the Pulumi CLI is a Go program. Install Go 1.26 or later, or the" \
	    "CLI itself (https://www.pulumi.com/docs/install/), or go without: its tests are skipped then." >&2; \
	  exit 3; }
	@echo 'Building the Pulumi CLI $(PULUMI) into $(ENGINE), once (some minutes) ...'
	@cd local/pulumi-cli && go build -trimpath -buildvcs=false \
	  -ldflags "-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=$(PULUMI)" \
	  -o "$(CURDIR)/$@" github.com/pulumi/pulumi/pkg/v3/cmd/pulumi
	@touch $@

check: lint types test-all simulate demo

clean:
	rm -rf $(VENV) $(SERVERS) $(ENGINE) .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
