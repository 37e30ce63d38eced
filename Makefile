# What one can do here. `make help` prints the lines marked ##.

SHELL       := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
PORT    ?= 6379
DIR     ?= data
SECONDS ?= 60
COUNT   ?= 1000000
SEED    ?=
DEBUG_BIN := target/debug/platform-kv

.DEFAULT_GOAL := help
.PHONY: help setup build up test unit compat differential clients conformance fuzz bench docs docs-check fmt lint ci

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' Makefile

setup: ## install what the tests need and is missing (apt, as root or with sudo)
	@tools/setup test

build: ## the release binary: target/release/platform-kv
	@tools/setup build
	cargo build --release -p platform-kv

up: build ## run a node in the foreground: PORT=6379 DIR=data
	@tools/up $(PORT) $(DIR)

test: setup $(DEBUG_BIN) ## all tests: unit, compat with redis-server, clients
	cargo test --workspace
	@$(MAKE) --no-print-directory clients

unit: ## tests of the crates alone; need nothing but Rust
	cargo test --workspace --exclude tests

compat: setup $(DEBUG_BIN) ## the same scripts on platform-kv and redis-server, replies compared
	cargo test -p tests --test compat

differential: setup $(DEBUG_BIN) ## random commands on both servers: COUNT=1000000 SEED=
	DIFFERENTIAL_COUNT=$(COUNT) DIFFERENTIAL_SEED=$(SEED) cargo test -p tests --test differential -- --nocapture

clients: setup $(DEBUG_BIN) ## smoke tests with redis-py and ioredis
	@tests/clients/run

conformance: setup build ## Redis's own test suite; fails when a test listed in conformance/passing.txt is lost
	@conformance/gate

fuzz: ## seeded mutations of every parser for SECONDS=60
	cargo run -q -p fuzz -- --seconds $(SECONDS)

bench: setup build ## the acceptance workloads beside redis-server
	@bench/acceptance.sh

docs: ## rewrite the generated pages under docs/
	@tools/docs write

docs-check: ## fail when a generated page is stale
	@tools/docs check

fmt: ## format the code
	cargo fmt --all

lint: ## formatting and clippy, warnings are errors
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings

ci: ## what CI runs
	@tools/ci

.PHONY: $(DEBUG_BIN)
$(DEBUG_BIN):
	cargo build -p platform-kv
