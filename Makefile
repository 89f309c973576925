# `make run` and `make test` are all there is to know; everything else is a part of them.
# ARGS="..." is handed on: make run ARGS="--port 9000", make tests ARGS="-k journal".

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help run test style types tests schema bench bench-quick setup setup-runtime lock clean
MAKEFLAGS += --no-print-directory
# Where the environment forbids compiled sources, every process would compile all of them again: a second at each start.
unexport PYTHONDONTWRITEBYTECODE

# The first Python that is new enough: .venv's own, plain python3, others. Say PYTHON=... to choose another.
PYTHON ?= $(shell for python in .venv/bin/python python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && exit; \
	done; echo python3)

FOLDERS := $(wildcard protocol actors storage config server client-sdk/python tests scripts benchmarks)
LAYERS := protocol actors storage config server client-sdk/python/pantherahive_client

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 13

run: setup-runtime ## set everything up and start the server in the foreground; ARGS="--help" shows its flags
	@exec .venv/bin/python -m server serve $(ARGS)

test: ## set everything up, then style, types and all tests
	@$(MAKE) setup
	@$(MAKE) style
	@$(MAKE) types
	@$(MAKE) tests

style: setup ## ruff, the formatter, and who may import whom
	@.venv/bin/python -m ruff check --quiet
	@.venv/bin/python -m ruff format --quiet --check || \
		{ echo "not formatted: run .venv/bin/ruff format on the files named above"; exit 1; }
	@$(if $(filter-out $(wildcard $(LAYERS)),$(LAYERS)),echo "layers: not all folders are there yet",\
		.venv/bin/lint-imports --no-cache > .venv/layers.txt || { cat .venv/layers.txt; exit 1; })
	@echo "style: good"

types: setup ## mypy, strict
	@.venv/bin/python -m mypy --no-error-summary $(FOLDERS)
	@echo "types: good"

tests: setup ## all tests on all cores
	@.venv/bin/python -m pytest -n auto --dist loadgroup $(ARGS)

schema: setup ## write what is made from the code: the published schema, the SDK's models, the reference pages
	@for script in $(wildcard scripts/generate_*.py scripts/write_*.py); do .venv/bin/python $$script || exit 1; done

bench: setup ## measure beside the peers and write benchmarks/RESULTS.md (about 25 minutes); ARGS="--help" shows its parts
	@.venv/bin/python -m benchmarks $(ARGS)

bench-quick: setup ## the same in a few minutes, with fewer rounds
	@.venv/bin/python -m benchmarks --quick $(ARGS)

setup: ## make .venv with everything that the checks need
	@$(PYTHON) scripts/bootstrap.py --dev

setup-runtime:
	@$(PYTHON) scripts/bootstrap.py --runtime

lock: ## write requirements/*.lock from requirements/*.in; ARGS=--upgrade takes the newest versions
	@$(PYTHON) scripts/bootstrap.py --lock $(ARGS)

clean: ## remove .venv and all caches; the server's data stays
	@rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
