# Everything starts here: `make demo` shows the product, `make test` proves it. Nothing has to be installed by hand.

PYTHON  ?= python3
VENV    := .venv
BIN     := $(VENV)/bin
READY   := $(VENV)/.ready
PIP     := $(BIN)/python -m pip --disable-pip-version-check

export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1
# Every command that a test starts would compile the program anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test prove check style types floors ceilings bench docs lock clean packages faults-check accuracy

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

demo: $(READY) ## break a PostgreSQL of our own, watch it being diagnosed, approve, see it recover
	@$(BIN)/ratchet demo $(ARGS)

test: $(READY) packages ## every test, against real servers
	@$(BIN)/python -m pytest -n 3 --dist loadscope --no-loadscope-reorder $(ARGS)

faults-check: $(READY) packages ## every fault of the catalogue, caused and taken back
	@RATCHET_ALL_FAULTS=1 $(BIN)/python -m pytest tests/lab/test_catalogue.py \
		tests/cli/test_certify.py tests/cli/test_a_whole_turn.py tests/nights/test_demo.py $(ARGS)

accuracy: $(READY) packages ## every fault, three seeds, remediated and graded; writes docs/reference/accuracy.md
	@home=$$(mktemp -d) && RATCHET_HOME=$$home HELPDESK_FAULT_HISTORY_FILE=$$home/history.json \
		$(BIN)/ratchet fault run --all --remediate --seeds 3 --write docs/reference/accuracy.md $(ARGS); \
		code=$$?; rm -rf "$$home"; exit $$code

prove: $(READY) packages ## the long proof: 10,000 kills, random lives, mutants; writes docs/reference/proof.md
	@$(BIN)/python -m tests.proof $(ARGS)

check: style types floors ceilings ## style, types, floors and ceilings

style: $(READY)
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet . || { echo 'not formatted; run: $(BIN)/ruff format .'; exit 1; }

types: $(READY)
	@$(BIN)/pyright --pythonpath $(BIN)/python

floors: $(READY)
	@$(BIN)/lint-imports --no-logo --no-cache

ceilings: $(READY)
	@$(BIN)/python scripts/ceilings.py

bench: $(READY) ## the figures the documents quote, measured on this machine
	@$(BIN)/python -m bench $(ARGS)

docs: $(READY) ## write docs/reference/ from the code
	@$(BIN)/python scripts/reference.py

lock: $(READY) ## resolve the dependencies again, upgrading within their bounds
	@$(BIN)/uv pip compile --no-config --quiet --upgrade --universal --python-version 3.11 \
		--extra lab --extra plots --extra dev --generate-hashes --no-annotate --no-header --no-emit-index-url \
		--output-file requirements.lock pyproject.toml
	@echo "requirements.lock: $$(grep -c == requirements.lock) packages"

clean: ## remove what make and the tools have made
	@rm -rf $(VENV) build dist .ruff_cache .hypothesis .pytest_cache .import_linter_cache
	@find src tests scripts bench -name __pycache__ -type d -prune -exec rm -rf {} +

packages:
	@scripts/debian-packages.sh

# The environment is made anew when the lock or the package's description changes; only the public files whose hashes
# stand in the lock are accepted. uv, where it is installed, makes the same environment faster.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'Ratchet needs Python 3.11 or newer; name one with: make PYTHON=python3.12 ...'; exit 1; }
	@echo 'Preparing $(VENV) (once; about half a minute) ...' >&2
	@$(PYTHON) -m venv --clear $(VENV) || \
		{ echo 'Python cannot make environments here; on Debian: apt-get install python3-venv'; exit 1; }
	@uv pip install --quiet --python $(BIN)/python --require-hashes --no-deps -r requirements.lock 2>/dev/null || \
		$(PIP) install -qq --require-hashes --no-deps -r requirements.lock
	@$(PIP) install -qq --no-deps --no-build-isolation --no-index -e .
	@touch $@
