# Every command of the project; `make` alone lists them.
# Set-up happens by itself, once, and again when the pinned packages change.

PYTHON ?= python3
ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif
RUN := $(BIN)/python
READY := .venv/ready

# Tests decide about data and folders themselves, whatever the shell has set.
SAMPLE := MNIST_DATA=sample MNIST_MODELS="$(CURDIR)/build/test/sample"
FULL := MNIST_DATA=full MNIST_MODELS="$(CURDIR)/build/test/full"
NBVAL := --nbval-current-env --nbval-cell-timeout=1200
# The notebooks in one process, the other tests beside them in a second.
SIDE_BY_SIDE := -n 2 --dist loadfile

.PHONY: help tutorial test test-browser test-full faults lab notebooks html pretrained bench lint lock clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

tutorial: $(READY) ## set up and run all notebooks in order, copies under build/ (17 min)
	@$(RUN) -m helpers.execution

test: $(READY) lint ## set up and run every test, notebooks on the sample (10 min, no network)
	@$(SAMPLE) $(RUN) -m pytest tests notebooks --ignore=tests/browser --nbval-lax $(NBVAL) $(SIDE_BY_SIDE)

test-browser: $(READY) ## run every notebook in JupyterLab in a browser, on the sample (7 min)
	@$(RUN) -m pytest tests/browser

test-full: $(READY) ## compare every notebook with its stored outputs, on full MNIST (20 min)
	@$(FULL) $(RUN) -m pytest notebooks --nbval $(NBVAL)

faults: $(READY) ## plant faults, kill processes, damage files; renew the tables in tests/faults (40 min)
	@$(RUN) -m tests.faults.fuzzing
	@$(RUN) -m tests.faults.killing
	@$(RUN) -m tests.faults.planted

lab: $(READY) ## open JupyterLab in notebooks/
	@$(RUN) -m jupyterlab --LabApp.default_url=/lab/tree/notebooks

notebooks: $(READY) ## run the notebooks in place on full MNIST and store their outputs (17 min)
	@$(RUN) -m helpers.execution --in-place

html: $(READY) ## write the series as static pages, to read without Jupyter, under build/html
	@$(RUN) -m helpers.pages

pretrained: $(READY) ## train the network that ships anew, with its card (30 min)
	@$(RUN) -m helpers.pretraining

bench: $(READY) ## measure recipes side by side, ENTRIES="quick ..." or all of them (2 hours)
	@$(RUN) -m benchmarks $(ENTRIES)

lint: $(READY) ## check style and mistakes with ruff
	@$(RUN) -m ruff check
	@$(RUN) -m ruff format --check

lock: $(READY) ## pin the newest versions that pyproject.toml admits in requirements.lock
	@$(RUN) -m uv pip compile pyproject.toml --extra scale --extra dev --universal --upgrade --quiet \
	  --generate-hashes --no-header --no-emit-index-url --output-file requirements.lock

clean: ## remove everything that the other commands made
	@rm -rf .venv build *.egg-info .pytest_cache .ruff_cache

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) helpers/environment.py
	@touch $@
