# `make` lists the targets. All of them make .venv and install what they need by themselves; to use
# another Python than the first suitable one:  make PYTHON=/path/to/python3.12 demo

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?=
VENV := .venv
PY := $(VENV)/bin/python
PIP_INSTALL := $(PY) -m pip install --quiet --disable-pip-version-check

# One worker a core, one thread a worker: BLAS threads of several workers would fight over the cores.
PYTEST := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 $(PY) -m pytest
WORKERS ?= auto
# More words for pytest, such as ARGS="-k softmax -x".
ARGS ?=
# More words for pip where `make peers` installs PyTorch; CONTRIBUTING.md has an example.
PEERS_PIP_ARGS ?=

.PHONY: help demo env test test-thorough campaigns conformance peers lint format types imports wheel gallery bench setup check clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.package ## train on real digits, draw the graph of a step, check a custom op
	@$(PY) -m tensorgrad demo

env: $(VENV)/.package ## print versions, BLAS, threads and extras, for a bug report
	@$(PY) -m tensorgrad env

test: $(VENV)/.dev ## the test suite
	HYPOTHESIS_PROFILE=ci $(PYTEST) -n $(WORKERS) $(ARGS)

test-thorough: $(VENV)/.dev ## the same with many more random examples, new ones each time
	HYPOTHESIS_PROFILE=thorough $(PYTEST) -n $(WORKERS) --timeout 3000 $(ARGS)

campaigns: $(VENV)/.dev ## the slow tests that `make test` leaves out; their last figures are in docs/
	HYPOTHESIS_PROFILE=ci $(PYTEST) -n $(WORKERS) --timeout 3000 -m slow $(ARGS)

conformance: $(VENV)/.dev ## check every op in every class of dtypes, shapes, orders and layouts; writes docs/conformance.md
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 \
	    $(PY) -m tensorgrad.testing.conformance --write docs/conformance.md $(ARGS)

# Without PyTorch the comparison cannot run. That is a message here, and an error with PEERS_REQUIRED=1.
peers: $(VENV)/.dev ## compare values and gradients with PyTorch (installs it, if it can be had)
	@if $(MAKE) --no-print-directory $(VENV)/.peers; then \
	    $(PIP_INSTALL) -e '.[hosts]' || echo "make peers: no JAX or HIPS autograd; the checker is tried on PyTorch's functions only"; \
	    HYPOTHESIS_PROFILE=ci $(PYTEST) -n $(WORKERS) tests/reference tests/testing/test_bridges_jax.py tests/testing/test_bridges_hips.py $(ARGS); \
	else \
	    echo "make peers: PyTorch could not be installed (see above), so nothing was compared with it."; \
	    echo "CONTRIBUTING.md, 'The peers suite', says how to get a CPU build."; \
	    test -z "$${PEERS_REQUIRED:-}"; \
	fi

lint: $(VENV)/.dev ## ruff: rules and formatting
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

format: $(VENV)/.dev ## let ruff repair and format the code
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

types: $(VENV)/.dev ## mypy --strict
	$(PY) -m mypy

imports: $(VENV)/.dev ## imports go down the layers only (the contract is in pyproject.toml)
	$(VENV)/bin/lint-imports

wheel: $(VENV)/.dev ## build the wheel, install it in a bare environment, run the demo there
	$(PY) tools/wheel_test.py

gallery: $(VENV)/.dev ## make the pictures of docs/gallery and the page of them
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(PY) tools/gallery.py $(ARGS)

bench: $(VENV)/.dev ## time against NumPy and, where installed, PyTorch
	$(PY) -m benchmarks $(ARGS)

setup: $(VENV)/.dev ## make .venv with everything that development needs

check: lint types imports test ## what to run before a commit

clean: ## remove .venv and everything that the tools left behind
	rm -rf $(VENV) dist build .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache tensorgrad-demo
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ---- The environment. Stamp files in .venv say what is installed; a change of pyproject.toml renews them.

METADATA := pyproject.toml tensorgrad/_version.py

$(VENV)/.package: $(METADATA) | $(VENV)/.made
	@echo "installing tensorgrad in $(VENV)"
	@$(PIP_INSTALL) -e .
	@touch $@

$(VENV)/.dev: $(METADATA) | $(VENV)/.made
	@echo "installing tensorgrad and its development tools in $(VENV)"
	@$(PIP_INSTALL) -e '.[dev]'
	@touch $@ $(VENV)/.package

$(VENV)/.peers: $(METADATA) | $(VENV)/.dev
	@echo "installing PyTorch in $(VENV), to compare with"
	@$(PIP_INSTALL) $(PEERS_PIP_ARGS) -e '.[dev,peers]'
	@touch $@

# The first Python >= 3.11 that can make environments. Debian's has no `ensurepip` until python3-venv is
# installed, and a version manager may leave commands on the PATH that do not run.
$(VENV)/.made:
	@found=; bare=; \
	for python in $(or $(PYTHON),python3 python3.13 python3.12 python3.14 python3.11 python); do \
	    "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	    if "$$python" -c 'import ensurepip, venv' 2>/dev/null; then found=$$python; break; fi; \
	    bare=$${bare:-$$python}; \
	done; \
	if [ -z "$$found" ]; then \
	    if [ -n "$$bare" ]; then \
	        version=$$("$$bare" -c 'import sys; print("python%d.%d" % sys.version_info[:2])'); \
	        echo "$$bare cannot make virtual environments: its venv module is not installed." >&2; \
	        echo "On Debian and Ubuntu:  sudo apt install $$version-venv" >&2; \
	    else \
	        echo "No Python 3.11 or newer was found$(if $(PYTHON), as PYTHON=$(PYTHON))." >&2; \
	        echo "Install one, or name it:  make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; \
	    fi; \
	    exit 1; \
	fi; \
	echo "making $(VENV) with $$("$$found" --version)"; \
	"$$found" -m venv --clear $(VENV) || { rm -rf $(VENV); exit 1; }; \
	touch $@
