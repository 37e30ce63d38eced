# What one can do here. `make help` prints the lines marked ##.

SHELL       := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
PORT    ?= 6379
DIR     ?= data
DEBUG_BIN := target/debug/platform-kv
# Optimised, with debug assertions: what the long suites run.
CHECKED_BIN := target/checked/platform-kv
COMMANDS ?= 1000000
DATASETS ?= 1000
CONNECTIONS ?= 10000
SEED     ?= fresh
KINDS    ?= all
UNITS    ?=
JOBS     ?= 2
TARGET   ?= all
SECONDS  ?= 3
SEEDS    ?= 10000
FUZZ_BIN := target/checked/fuzz

.DEFAULT_GOAL := help
.PHONY: help setup build up test unit simulate power-loss kills compat container differential exchange fuzz clients stress conformance conformance-update docs docs-check fmt lint ci

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-18s %s\n", $$1, $$2}' Makefile

setup: ## install what the tests need and is missing (apt, as root or with sudo)
	@tools/setup test

build: ## the release binary: target/release/platform-kv
	@tools/setup build
	cargo build --release -p platform-kv

up: build ## run three nodes and three Sentinels in the foreground: PORT=6379 DIR=data
	@target/release/platform-kv up --port $(PORT) --dir $(DIR)

test: setup $(DEBUG_BIN) ## all tests: unit, and compat with redis-server
	cargo test --workspace

unit: ## tests of the crates alone; need nothing but Rust
	cargo test --workspace --exclude tests

compat: setup $(DEBUG_BIN) ## the same scripts on platform-kv and redis-server, replies compared
	cargo test -p tests --test compat

differential: setup $(CHECKED_BIN) ## random commands on both servers: COMMANDS=1000000 SEED=fresh KINDS=all
	PLATFORM_KV_BIN=$(CURDIR)/$(CHECKED_BIN) DIFFERENTIAL_COMMANDS=$(COMMANDS) DIFFERENTIAL_SEED=$(SEED) \
	  DIFFERENTIAL_GROUPS=$(KINDS) cargo test -p tests --test differential -- --nocapture

exchange: setup $(CHECKED_BIN) ## random datasets as RDB and AOF to redis-server and back: DATASETS=1000 SEED=1
	PLATFORM_KV_BIN=$(CURDIR)/$(CHECKED_BIN) RDB_DATASETS=$(DATASETS) RDB_SEED=$(SEED:fresh=1) \
	  cargo test -p tests --test rdb exchange

fuzz: setup ## hostile bytes for what reads bytes from outside: TARGET=resp SECONDS=60 SEED=1
	cargo build --profile checked -p fuzz
	@# Every input is written to a file first: in memory, where there is a place for that.
	TMPDIR=$(firstword $(wildcard /dev/shm) /tmp) $(FUZZ_BIN) $(TARGET) $(SECONDS) $(SEED)

stress: setup $(CHECKED_BIN) ## ten thousand connections, most of them bad, and how the others fare: CONNECTIONS=10000
	PLATFORM_KV_BIN=$(CURDIR)/$(CHECKED_BIN) STRESS_CONNECTIONS=$(CONNECTIONS) STRESS_SECONDS=15 \
	  cargo test -p tests --test stress -- --nocapture

clients: $(DEBUG_BIN) ## redis-py, ioredis, go-redis, redis-cli and redis-benchmark on a node
	@tools/setup clients
	@tests/clients/run $(DEBUG_BIN)

conformance: setup $(CHECKED_BIN) ## Redis's own test suite, compared with what passed before: UNITS='unit/type/ unit/expire'
	@tests/conformance/suite.py run $(UNITS) --jobs $(JOBS)

conformance-update: setup $(CHECKED_BIN) ## write down what passes of Redis's own test suite now: UNITS=...
	@tests/conformance/suite.py update $(UNITS) --jobs $(JOBS)

container: build ## the container guard in a real memory cgroup; as root
	@tools/container

simulate: ## Sentinels and nodes in a simulated world, a world for each seed: SEEDS=10000
	SIMULATION_SEEDS=$(SEEDS) cargo test --release -p sentinel --test simulation every_seed -- --nocapture

power-loss: ## 10,000 power losses of a node on a simulated disk
	POWER_LOSSES=10000 cargo test --release -p server a_node_comes_back_from_every_power_loss

kills: $(DEBUG_BIN) ## kill -9 under load, 1,000 rounds
	KILL_ROUNDS=334 cargo test -p tests --test aof kill

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

.PHONY: $(DEBUG_BIN) $(CHECKED_BIN)
$(DEBUG_BIN):
	cargo build -p platform-kv
$(CHECKED_BIN):
	cargo build --profile checked -p platform-kv
