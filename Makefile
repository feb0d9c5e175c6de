# ImageStreams for any Kubernetes. Every target makes what it needs: start with `make run` or `make demo`.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed

DATA ?= var
LISTEN ?= 127.0.0.1:8443
REGISTRY_PORT ?= 5000
TESTS ?= tests
PROCESSES ?= auto
HOSTS ?=
ONLY ?=

.PHONY: help
help: ## Show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

$(INSTALLED): pyproject.toml constraints.txt .ci/venv
	PYTHON=$(PYTHON) .ci/venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

.PHONY: install
install: $(INSTALLED) ## Create .venv with the versions of constraints.txt

.PHONY: run
run: $(INSTALLED) ## Run the server on https://127.0.0.1:8443, data in var/
	$(BIN)/imagestreams serve --data $(DATA) --listen $(LISTEN)

.PHONY: demo
demo: $(INSTALLED) ## Play the whole tour against a local registry, no internet needed
	@PATH="$(CURDIR)/$(BIN):$$PATH" demo/tour.sh

.PHONY: registry
registry: $(INSTALLED) ## Run a local registry with small images on 127.0.0.1:5000, for the tour in README.md
	@PATH="$(CURDIR)/$(BIN):$$PATH" demo/registry.sh $(REGISTRY_PORT)

.PHONY: test
test: $(INSTALLED) ## Run all tests (TESTS=tests/unit narrows)
	$(BIN)/python -m pytest -n $(PROCESSES) --maxprocesses 4 --dist loadfile $(TESTS)

.PHONY: conformance
conformance: $(INSTALLED) ## Compare with the answers recorded from OpenShift, reported by area (ONLY="tagging/ import/" narrows)
	@$(BIN)/python -m tests.conformance run $(if $(ONLY),--only $(ONLY))

.PHONY: lint
lint: $(INSTALLED) ## Check format, rules, types, layers and shell scripts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pip check --disable-pip-version-check
	if command -v shellcheck >/dev/null; then shellcheck .ci/run .ci/venv demo/*.sh; else echo "shellcheck is not installed: shell scripts were not checked"; fi

.PHONY: format
format: $(INSTALLED) ## Format the code and repair what can be repaired
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: bench
bench: $(INSTALLED) ## Measure each part against its floor of the same run (ONLY="admission view" narrows)
	for name in $(or $(ONLY),admission view api watch_latency imports resolve); do echo; $(BIN)/python -m bench.$$name; done

.PHONY: certs
certs: $(INSTALLED) ## Make a development authority and a server certificate in certs/ (HOSTS="more names")
	$(BIN)/python certs/make.py $(HOSTS)

.PHONY: lock
lock: ## Renew constraints.txt from pyproject.toml
	.ci/lock

.PHONY: messages
messages: $(INSTALLED) ## Renew the protobuf messages of the built-in kinds (KUBERNETES=its staging/src)
	$(BIN)/python .ci/messages.py $(KUBERNETES)

.PHONY: clean
clean: ## Remove .venv, caches and certificates; var/ (your data) stays
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	rm -f certs/*.crt certs/*.key certs/*.pem
	find webhook tests demo bench -name __pycache__ -type d -prune -exec rm -rf {} +
