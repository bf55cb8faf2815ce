# Every target sets up what it needs on a machine with Python 3.11 or later, pip and make;
# nothing is compiled. `make help` lists them.
PYTHON ?= python3
ARGS   ?=
SEED   ?= 0
SEEDS  ?= 1000

VENV       := .venv
PY         := $(VENV)/bin/python
RUN_STAMP  := $(VENV)/.run-stamp
DEV_STAMP  := $(VENV)/.dev-stamp
PROTO_VENV := .venv-proto
PROTO_PY   := $(PROTO_VENV)/bin/python
PROTO_STAMP := $(PROTO_VENV)/.stamp
UV_VENV    := .venv-uv
PEERS_VENV := .venv-peers

# The pinned files carry hashes, so pip refuses anything that is not exactly what was chosen.
PIP_INSTALL  = $(1) -m pip install --quiet --disable-pip-version-check
PIP_PINNED   = $(call PIP_INSTALL,$(1)) --only-binary :all: --require-hashes -r $(2)
PIP_EDITABLE = $(call PIP_INSTALL,$(PY)) --no-deps --no-build-isolation --editable .
COMPILE = $(UV_VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-header --no-annotate --no-emit-index-url --no-emit-find-links
QUICK_TESTS := not slow and not chaos

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup setup-dev setup-proto demo serve test test-all chaos slow gen gen-check api \
  rows sim fmt lint type bench bench-quick bench-long bench-report bench-peers bench-guard \
  constraints docs-pages clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-13s %s\n", $$1, $$2}'

# --- environments ---------------------------------------------------------------------------------

# $(1): the folder. Debian may ship venv without ensurepip; then the machine's own pip fills it.
define make_venv
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "expected Python 3.11 or later, but $(PYTHON) is $$($(PYTHON) --version 2>&1)." \
	       "Name another one: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(1)/bin/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv $(1) >/dev/null 2>&1 || { \
	  $(PYTHON) -m venv --clear --without-pip $(1) && \
	  $(PYTHON) -m pip --python $(1)/bin/python install --quiet pip; } || { \
	  echo "expected 'venv' and 'pip' in $(PYTHON). On Debian: apt-get install python3-venv" >&2; \
	  exit 1; }
endef

$(RUN_STAMP): constraints/run.txt pyproject.toml
	$(call make_venv,$(VENV))
	@echo "setting up $(VENV) (server, SDK, command line)"
	@$(call PIP_PINNED,$(PY),constraints/run.txt)
	@$(PIP_EDITABLE)
	@touch $@

$(DEV_STAMP): constraints/dev.txt $(RUN_STAMP)
	@echo "setting up $(VENV) (tests and checks)"
	@$(call PIP_PINNED,$(PY),constraints/dev.txt)
	@touch $@

$(PROTO_STAMP): constraints/proto.txt
	$(call make_venv,$(PROTO_VENV))
	@$(PROTO_PY) -c 'import sys; sys.exit(sys.version_info >= (3, 14))' || { \
	  echo "expected Python 3.11 to 3.13 for the generator, but $(PROTO_VENV) has a later one." \
	       "Remove $(PROTO_VENV) and run: make PYTHON=python3.13 gen" >&2; exit 1; }
	@echo "setting up $(PROTO_VENV) (code generator)"
	@$(call PIP_PINNED,$(PROTO_PY),constraints/proto.txt)
	@touch $@

setup: $(RUN_STAMP) ## make .venv with everything that runs Interlock
setup-dev: $(DEV_STAMP) ## add what tests, checks and measures it
setup-proto: $(PROTO_STAMP) ## make .venv-proto, the environment of the code generator

# --- use ------------------------------------------------------------------------------------------

demo: $(RUN_STAMP) ## start a server, some robots and a watcher, and show what happens
	@$(PY) -m benchmarks.demo $(ARGS)

serve: $(RUN_STAMP) ## run the server (ARGS="--listen 127.0.0.1:7350 --data-dir DIR")
	@$(VENV)/bin/interlock serve $(ARGS)

# --- check ----------------------------------------------------------------------------------------

test: $(DEV_STAMP) ## run the quick tests (ARGS="-k words")
	@$(PY) -m pytest -q -m "$(QUICK_TESTS)" $(ARGS)

test-all: $(DEV_STAMP) ## run all tests, slow ones and killed processes too
	@$(PY) -m pytest -q $(ARGS)

chaos: $(DEV_STAMP) ## run the tests that kill processes and break disks
	@$(PY) -m pytest -q -m chaos $(ARGS)

slow: $(DEV_STAMP) ## run the slow tests that kill nothing
	@$(PY) -m pytest -q -m "slow and not chaos" $(ARGS)

rows: $(DEV_STAMP) ## say which rows of the two tables are exercised through the API, and where
	@$(PY) -m pytest -q --rows tests/rows tests/scenarios $(ARGS)

sim: $(DEV_STAMP) ## live simulated lives of a busy site (SEED=0 SEEDS=1000); says what fails
	@$(PY) -m tests.simulation.run $(SEED) $(SEEDS)

gen: $(PROTO_STAMP) ## write clients/interlock/v1 from protos/
	@$(PROTO_PY) protos/generate.py

gen-check: $(PROTO_STAMP) ## fail when clients/interlock/v1 is not what protos/ says
	@$(PROTO_PY) protos/generate.py --check
	@$(PROTO_VENV)/bin/buf lint protos

api: gen $(DEV_STAMP) ## promise what was added to the API: write tests/golden/api_v1.txt
	@$(PY) -m tests.support.api_listing tests/golden/api_v1.txt

fmt: $(DEV_STAMP) ## format the code and fix what ruff can fix
	@$(PY) -m ruff check --quiet --fix-only .
	@$(PY) -m ruff format .

lint: $(DEV_STAMP) ## check style and format
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .

type: $(DEV_STAMP) ## check types
	@$(PY) -m mypy

bench: $(DEV_STAMP) ## measure everything, in at most 25 minutes; also beside what bench-peers installed
	@$(PY) -m benchmarks.suite $(ARGS); status=$$?; $(MAKE) -s bench-report; exit $$status

bench-quick: $(DEV_STAMP) ## measure the core for a minute or two, as ratios to bare grpc
	@$(PY) -m benchmarks.suite --quick $(ARGS)

bench-long: $(DEV_STAMP) ## work for half an hour and see what grows (ARGS="--minutes 2 --interval 10")
	@$(PY) -m benchmarks.long_run $(ARGS); status=$$?; $(MAKE) -s bench-report; exit $$status

bench-report: $(DEV_STAMP) ## draw the results and write the figures of benchmarks/README.md
	@$(PY) -m benchmarks.plot
	@$(PY) -m benchmarks.report

bench-peers: ## install what Interlock is measured beside, as far as it can be; runs nothing
	$(call make_venv,$(PEERS_VENV))
	@$(PEERS_VENV)/bin/python -m benchmarks.peers.install

bench-guard: $(DEV_STAMP) ## fail when a server takes much more processor time than it did
	@$(PY) -m benchmarks.guard $(ARGS)

# --- care -----------------------------------------------------------------------------------------

constraints: ## choose the pinned versions anew from constraints/*.in
	$(call make_venv,$(UV_VENV))
	@$(call PIP_INSTALL,$(UV_VENV)/bin/python) uv
	@cd constraints && for set in run dev proto peers; do \
	  rm -f $$set.txt; \
	  pins=$$(test $$set = dev && echo "--constraints run.txt"); \
	  ../$(COMPILE) $$pins --output-file $$set.txt $$set.in >/dev/null || exit 1; \
	done
	@! grep -nE '://|--(extra-)?index-url|--find-links' constraints/*.txt

docs-pages: $(RUN_STAMP) ## write the generated parts of docs/
	@$(PY) docs/generate.py

clean: ## remove the environments and everything made by tools
	@rm -rf $(VENV) $(PROTO_VENV) $(UV_VENV) $(PEERS_VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis \
	  build dist interlock-data
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
