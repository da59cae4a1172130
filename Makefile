# The project's commands. Each sets up what it needs (Debian packages with root or sudo, a Python environment, npm
# packages), and does nothing when that is there already.
.DEFAULT_GOAL := help
SHELL := /bin/bash
JOBS ?= $(shell nproc)

.PHONY: help
help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /\1\t/' | expand -t 16

.PHONY: demo
demo: build  ## Sluice in front of a real PostgreSQL with pgvector: the main job, step by step; Ctrl-C ends it
	@tools/setup/debian.sh demo
	@exec $$(tools/setup/python.sh demo/requirements.txt) demo/demo.py --binary build/release/sluice

.PHONY: build
build:  ## the optimised binary: build/release/sluice
	@tools/setup/debian.sh build
	@tools/build.sh release sluice

.PHONY: test
test:  ## unit tests (with sanitizers), then integration tests against real PostgreSQL servers and clients
	@tools/setup/debian.sh build test
	@tools/build.sh dev all
	@exec $$(tools/setup/python.sh tests/requirements.txt) tools/run_tests.py --build build/dev

.PHONY: tsan
tsan:  ## unit and integration tests under ThreadSanitizer
	@tools/setup/debian.sh build test
	@tools/build.sh tsan all
	@exec $$(tools/setup/python.sh tests/requirements.txt) tools/run_tests.py --build build/tsan

.PHONY: noninterference
noninterference:  ## a long run of the non-interference test of masking (STATEMENTS=50000 SEED=7)
	@tools/setup/debian.sh build test
	@tools/build.sh dev sluice
	@cd tests && SLUICE_BIN=$(CURDIR)/build/dev/sluice PYTHONPATH=. exec $$(../tools/setup/python.sh requirements.txt) \
		-m proof.noninterference $(if $(STATEMENTS),--statements $(STATEMENTS)) $(if $(SEED),--seed $(SEED))

.PHONY: lint
lint:  ## format, layers, shell and Python linters
	@tools/setup/debian.sh test lint
	@tools/lint.sh

.PHONY: tidy
tidy:  ## clang-tidy over what has changed since it last passed (the first time all: 40 minutes of one core; MINUTES=10 SINCE=main)
	@tools/setup/debian.sh build lint
	@tools/build.sh dev all
	@tools/tidy.py --build build/dev $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SINCE),--since $(SINCE)) $(if $(ALL),--all)

.PHONY: tidy-all
tidy-all:  ## clang-tidy over all sources, whatever passed before
	@$(MAKE) --no-print-directory tidy ALL=1

.PHONY: fuzz
fuzz:  ## every fuzzer for a short time, on its committed corpus (SECONDS_EACH=20)
	@tools/setup/debian.sh build
	@tools/build.sh fuzz all
	@tools/fuzz.sh build/fuzz

.PHONY: bench
bench: build  ## throughput and CPU against direct connections and PgBouncer; writes bench/results.json
	@tools/setup/debian.sh build test bench
	@tools/build.sh release sluice bench/all
	@exec $$(tools/setup/python.sh tests/requirements.txt) bench/run.py --build build/release

.PHONY: profile
profile:  ## counts what the benchmarks and the demo run, for the layout of the release build's code
	@tools/setup/debian.sh build test bench
	@tools/build.sh profile sluice bench/all
	@tools/profile.sh build/profile

.PHONY: fmt
fmt:  ## formats the C++ sources in place
	@git ls-files 'src/**.cc' 'src/**.h' 'fuzz/*.cc' 'bench/*.cc' | xargs clang-format-19 -i

.PHONY: clean
clean:  ## removes build/ (the caches outside of the checkout stay)
	rm -rf build
