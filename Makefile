# Everything sets itself up: the first target called makes the virtual environment.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SEEDS ?= 20000
SHAPE ?= plain
STACK ?= dev
PORT ?= 8000
JARS := .dynamodb-local
ENGINE := .engine
# The CLI's version is that of the Python package.
PULUMI = v$(shell sed -n 's/^pulumi==//p' requirements.txt)

.PHONY: help setup demo local test lint types simulate mutants remedies bench bench-check check clean dynamodb-local \
	dynamodb-local-jars engine

help:
	@echo 'make setup     the virtual environment .venv alone, which all others make as well'
	@echo 'make demo      the ring on this machine, told as a story (about a minute)'
	@echo 'make local     the ring on this machine, to play with (STACK=dev)'
	@echo 'make test      all tests'
	@echo 'make simulate  the whole ring under random schedules (SEEDS=20000 SHAPE=plain)'
	@echo 'make mutants   each rule of the protocol taken out, and after how many schedules it shows'
	@echo 'make remedies  each thing that is done about failures taken out, and the test that fails then'
	@echo 'make bench     what a hop costs beside what people use today (some minutes; PART=kind: that alone)'
	@echo 'make bench-check'
	@echo '               how much memory and time a check takes, of few items and of many (some minutes)'
	@echo 'make dynamodb-local'
	@echo '               DynamoDB Local in the foreground (PORT=8000), fetched if it is not there;'
	@echo '               make dynamodb-local-jars only fetches it: needs java and mvn'
	@echo 'make engine    the Pulumi CLI in $(ENGINE), built from Go modules (some minutes, once): needs go'
	@echo 'make lint      ruff: lint and format'
	@echo 'make types     mypy, strict'
	@echo 'make check     lint, types, test, simulate and demo: what CI runs'
	@echo 'make clean     remove the virtual environment and caches'

$(READY): requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "dynamodb-ring needs Python 3.11 or later; this is " + sys.version.split()[0] + ". Say which to use: make PYTHON=python3.13 ...")'
	@echo 'Setting up $(VENV), once (a minute or two) ...'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

setup: $(READY)

demo: $(READY)
	@$(BIN)/python -m local.demo

local: $(READY)
	@$(BIN)/python automate.py local --stack $(STACK) $(if $(DYNAMODB),--dynamodb $(DYNAMODB))

test: $(READY)
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy .

simulate: $(READY)
	@$(BIN)/python -m tests.simulation --shape $(SHAPE) --seeds $(SEEDS)

mutants: $(READY)
	@$(BIN)/python -m tests.simulation.mutants

remedies: $(READY)
	@$(BIN)/python -m tests.handler.remedies

bench: $(READY)
	@$(BIN)/python -m benchmarks $(foreach part,$(PART),--part $(part))

bench-check: $(READY)
	@$(BIN)/python -m benchmarks.check_memory

dynamodb-local: $(READY) $(JARS)/.ready
	@$(BIN)/python -m local.dynamodb_local --port $(PORT)

dynamodb-local-jars: $(JARS)/.ready

$(JARS)/.ready: local/dynamodb-local/pom.xml
	@for tool in java mvn; do command -v $$tool >/dev/null || { \
	  echo "$$tool is not on the path: DynamoDB Local is a Java program, which Maven fetches." \
	    "Install Java 17 or later and Maven 3, or go without: its tests are skipped then." >&2; \
	  exit 3; }; done
	@echo 'Fetching DynamoDB Local into $(JARS), once (50 MB) ...'
	@rm -rf $(JARS)
	@mvn -q -B -Dstyle.color=never -f $< dependency:copy-dependencies -DoutputDirectory="$(CURDIR)/$(JARS)"
	@touch $@

engine: $(ENGINE)/bin/pulumi

$(ENGINE)/bin/pulumi: local/pulumi-cli/go.mod local/pulumi-cli/tools.go
	@command -v go >/dev/null || { \
	  echo "go is not on the path: the Pulumi CLI is a Go program. Install Go 1.25 or later, or the" \
	    "CLI itself (https://www.pulumi.com/docs/install/), or go without: its tests are skipped then." >&2; \
	  exit 3; }
	@echo 'Building the Pulumi CLI $(PULUMI) into $(ENGINE), once (some minutes) ...'
	@cd local/pulumi-cli && go build -trimpath -buildvcs=false \
	  -ldflags "-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=$(PULUMI)" \
	  -o "$(CURDIR)/$@" github.com/pulumi/pulumi/pkg/v3/cmd/pulumi
	@touch $@

check: lint types test simulate demo

clean:
	rm -rf $(VENV) $(JARS) $(ENGINE) .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
