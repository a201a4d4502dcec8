# Every command of the project; `make` alone lists them.
# The set-up runs by itself, once, and again when the pinned packages change.

ifeq ($(OS),Windows_NT)
PYTHON ?= python
BIN := .venv/Scripts
else
PYTHON ?= python3
BIN := .venv/bin
endif
RUN := $(BIN)/python
READY := .venv/ready

# Tests choose data and folders themselves, whatever the shell has set.
SAMPLE := MNIST_DATA=sample MNIST_MODELS="$(CURDIR)/build/test/sample"
FULL := MNIST_DATA=full MNIST_MODELS="$(CURDIR)/build/test/full"
NBVAL := --nbval-current-env --nbval-cell-timeout=1200
# Tests are shared out to two processes by file, the notebooks that use one network together.
SIDE_BY_SIDE := -n 2 --dist loadfile

.PHONY: help setup tutorial check test test-browser test-full faults lab notebooks html pretrained bench
.PHONY: lint lock clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## install everything into .venv, once (2 to 5 min, 3 GB)

tutorial: $(READY) ## set up and run all notebooks in order, copies under build/ (21 min)
	@$(RUN) -m helpers.series.execution

check: $(READY) lint ## run all tests that need no TensorFlow, and lint (45 s)
	@$(RUN) -m pytest tests --ignore=tests/browser --without-tensorflow $(SIDE_BY_SIDE)

test: $(READY) lint ## set up and run every test, notebooks on the sample (14 min, no network)
	@$(SAMPLE) $(RUN) -m pytest tests notebooks --ignore=tests/browser --nbval-lax $(NBVAL) $(SIDE_BY_SIDE) $(PYTEST)

test-browser: $(READY) ## run every notebook in JupyterLab in a browser, on the sample (15 min)
	@$(RUN) -m pytest tests/browser

test-full: $(READY) ## compare every notebook with its stored outputs, on full MNIST (25 min)
	@$(FULL) $(RUN) -m pytest notebooks --nbval $(NBVAL)

faults: $(READY) ## plant faults, kill processes, damage files; renew the tables in tests/faults (40 min)
	@$(RUN) -m tests.faults.fuzzing
	@$(RUN) -m tests.faults.killing
	@$(RUN) -m tests.faults.planted

lab: $(READY) ## open JupyterLab in notebooks/
	@if [ "$$(id -u)" = 0 ] && [ -z "$(LAB)" ]; then \
	  echo "error: JupyterLab does not start for root; in a container, run: make lab LAB=--allow-root" >&2; \
	  exit 2; fi
	@$(RUN) -m jupyterlab --LabApp.default_url=/lab/tree/notebooks $(LAB)

notebooks: $(READY) ## run the notebooks in place on full MNIST and store their outputs (21 min)
	@$(RUN) -m helpers.series.execution --in-place

html: $(READY) ## build the site, to read without Jupyter, under build/html (1 min)
	@$(RUN) -m helpers.series.pages

pretrained: $(READY) ## train the network that ships, and write its card (40 min)
	@$(RUN) -m helpers.series.shipping

bench: $(READY) ## measure recipes side by side, ENTRIES="quick ..." or all of them (5 hours)
	@$(RUN) -m benchmarks $(ENTRIES)

lint: $(READY) ## check style, mistakes, types, and which module imports which
	@$(RUN) -m ruff check
	@$(RUN) -m ruff format --check
	@$(RUN) -m mypy
	@kept=$$($(BIN)/lint-imports --no-logo) || { echo "$$kept"; exit 1; }

lock: $(READY) ## pin the newest versions that pyproject.toml admits in requirements.lock
	@sed -i.old "s/^exclude-newer = .*/exclude-newer = \"$$(date -u +%Y-%m-%dT00:00:00Z)\"/" pyproject.toml
	@rm pyproject.toml.old
	@$(RUN) -m uv lock --upgrade --quiet
	@$(RUN) -m uv export --frozen --extra scale --extra dev --extra docs --no-emit-project --no-header --quiet \
	  --output-file requirements.lock

clean: ## remove everything that the other commands made
	@rm -rf .venv build *.egg-info .pytest_cache .ruff_cache .mypy_cache .import_linter_cache uv.lock

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) helpers/series/environment.py
	@touch $@
