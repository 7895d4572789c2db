# The front door. Meson and Ninja do the work for C, npm for the pages; this file only knows in which order.

BUILD    ?= build
DIR      ?= demo
AUDIENCE ?=
FUZZ_SECONDS ?= 60
NINJA    := ninja -C $(BUILD)

pages    := tracker viewer
modules  := frontends/node_modules/.package-lock.json
dists    := $(pages:%=frontends/%/dist/index.html)
c_files   = $(shell find common proto services supervisor tests -name '*.[ch]')

.PHONY: help deps deps-test build programs pages demo up down test fuzz bench fmt check clean
.DEFAULT_GOAL := build

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  DIR=demo is where a demo keeps its sockets and data, AUDIENCE=500 adds so many simulated viewers."

deps: ## install what is missing to build and run (Debian 12 and 13, Ubuntu 24.04)
	@tools/install-dependencies.sh

deps-test: ## install what is missing to test
	@tools/install-dependencies.sh test

build: programs pages ## build all programs into build/bin and both pages

programs: $(BUILD)/build.ninja
	@$(NINJA)
	@tools/collect-programs.sh $(BUILD)

$(BUILD)/build.ninja:
	@command -v meson >/dev/null || { echo 'meson is missing; run `make deps` first' >&2; exit 1; }
	@meson setup $(BUILD)

pages: $(dists)

$(modules): frontends/package-lock.json frontends/package.json $(pages:%=frontends/%/package.json)
	@cd frontends && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

define page_rule
frontends/$(1)/dist/index.html: $(modules) frontends/tsconfig.base.json \
  $$(shell find frontends/$(1) \( -name node_modules -o -name dist \) -prune -o -type f -print)
	@cd frontends && npm run --silent build --workspace $(1)
	@touch $$@
endef
$(foreach page,$(pages),$(eval $(call page_rule,$(page))))

demo: deps ## everything on this machine: build, start, say where to look; Ctrl-C drains and stops it
	@$(MAKE) --no-print-directory build
	@$(MAKE) --no-print-directory up

up: ## start what is built
	@exec python3 tools/foreground.py $(BUILD)/bin/usher up --dir '$(DIR)' $(if $(AUDIENCE),--audience '$(AUDIENCE)')

down: ## drain and stop a demo that runs in another terminal
	@exec $(BUILD)/bin/usher stop --dir '$(DIR)'

.cache/venv/done: tests/requirements.txt
	@python3 -m venv .cache/venv
	@.cache/venv/bin/pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	@touch $@

test: deps-test ## everything: unit, model, protocol, simulation, real processes, browser, sanitizers
	@$(MAKE) --no-print-directory build .cache/venv/done
	@python3 tests/run.py --build $(BUILD) $(SUITES)

fuzz: deps-test ## look for inputs that hurt, FUZZ_SECONDS each target, under sanitizers (wants clang)
	@test -f $(BUILD)-fuzz/build.ninja || CC=clang meson setup $(BUILD)-fuzz -Dfuzzers=true -Db_sanitize=address,undefined \
	    -Db_lundef=false -Dwerror=false
	@ninja -C $(BUILD)-fuzz fuzzers proto/usher-describe
	@python3 tests/fuzz/run_fuzzers.py --build $(BUILD)-fuzz --seconds $(FUZZ_SECONDS) $(TARGETS)

bench: deps-test ## measure: throughput, latency, memory
	@$(MAKE) --no-print-directory build .cache/venv/done
	@python3 tests/run.py --build $(BUILD) --bench

fmt: .cache/venv/done $(modules) ## format all sources
	@.cache/venv/bin/clang-format -i $(c_files)
	@cd frontends && npm run --silent format

check: programs .cache/venv/done $(modules) ## formatted? documents up to date with the code?
	@python3 tests/run.py --build $(BUILD) format pages-format printed names

clean: ## remove what was built; data of demos stays
	rm -rf build build-asan build-fuzz .cache/venv $(pages:%=frontends/%/dist)
