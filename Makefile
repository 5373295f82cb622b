# The targets are listed by `make`. Every one of them first makes .venv from the pinned requirements.
#
#   PYTHON       the Python that makes .venv, 3.11 or newer
#   TORCH_INDEX  a package index to take torch alone from (for the CPU build; see README.md)
#   NOTEBOOK_RUNS  how often `make test-long` runs the chapters in a row; default 30
#   CHAPTER      a chapter for `make execute` and `make check`: 11, ddpg or a path; default all
#   PORT         where `make serve` serves the book
#   SERVE_OPTIONS  options of `make serve`: "--host 0.0.0.0" in a container
#   LAB_OPTIONS  options of `jupyter lab`: "--allow-root" for root,
#                "--no-browser --ip=0.0.0.0" in a container

PYTHON ?= python3
TORCH_INDEX ?=

BIN := .venv/bin
READY := .venv/ready
PORT ?= 8000
CHAPTER ?=
NOTEBOOK_RUNS ?= 30
LAB_OPTIONS ?=
SERVE_OPTIONS ?=
# One thread each: two workers are busy with two cores already.
# Whole modules to each of two workers: the cells of a notebook share a kernel.
PYTEST := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest
PARALLEL := -n 2 --dist loadscope
RUN_CHAPTERS := $(PYTEST) $(PARALLEL) --nbval -p tools.nbval_pictures --nbval-cell-timeout=300 book/*.ipynb
# From nothing every time: Sphinx does not repeat the warnings of pages that it kept.
BUILD_BOOK := rm -rf _build && $(BIN)/jupyter-book build . -W -n --keep-going && touch _build/complete
BOOK_SOURCES := _config.yml _toc.yml \
	$(shell find book dpgcourse -type f -not -path '*/__pycache__/*' -not -path '*/.*')

.DEFAULT_GOAL := help
.PHONY: help book pdf serve free-port lab test test-long results results-status faults bench bench-all lint execute check lock clean

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

book: $(READY) ## Build the book as web pages
	$(BUILD_BOOK)
	@echo "The book is in $(CURDIR)/_build/html/index.html"

serve: free-port _build/complete ## Build the book if it has changed, and serve it; PORT=8000
	@$(BIN)/python tools/serve.py _build/html $(PORT) $(SERVE_OPTIONS)

free-port: $(READY)
	@$(BIN)/python tools/serve.py --free $(PORT)

_build/complete: $(BOOK_SOURCES) | $(READY)
	$(BUILD_BOOK)

pdf: _build/complete ## Print the built book as one PDF
	@$(BIN)/python -m tools.make_pdf

lab: $(READY) ## Open the chapters in JupyterLab; LAB_OPTIONS="--allow-root --no-browser"
	$(BIN)/jupyter lab --notebook-dir=book $(LAB_OPTIONS)

test: $(READY) ## Run every check: lint, types, package, chapters, built pages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(PYTEST) $(PARALLEL) --ignore=tests/site
	$(RUN_CHAPTERS)
	$(BUILD_BOOK)
	$(PYTEST) -n 2 --dist loadgroup -rs tests/site

test-long: _build/complete ## Run what takes hours: kills, compilation, cells run twice, 30 runs of the chapters
	$(PYTEST) -m long tests
	for run in $$(seq $(NOTEBOOK_RUNS)); do echo "run $$run" && $(RUN_CHAPTERS) || exit 1; done

results: $(READY) ## Make the published records that are missing or outdated, two at a time
	$(BIN)/python -m tools.results

results-status: $(READY) ## Say which published records are missing or outdated
	$(BIN)/python -m tools.results --status

faults: $(READY) ## Plant faults in the course and see which check finds each; takes hours
	$(BIN)/python -m tools.plant_faults package
	$(BIN)/python -m tools.plant_faults book

bench: $(READY) ## Measure throughput beside Stable-Baselines3 and a plain loop
	$(BIN)/pip install -q -r benchmarks/requirements.txt -c constraints.txt
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m benchmarks.throughput

bench-all: $(READY) ## The same, beside JAX as well, and on HalfCheetah
	$(BIN)/pip install -q -r benchmarks/requirements.txt -r benchmarks/requirements-all.txt -c constraints.txt
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m benchmarks.throughput --all

lint: $(READY) ## Format and lint the package, the tests and the chapters
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

execute: $(READY) ## Run the chapters and store what has changed; CHAPTER=11 for one
	@$(BIN)/python -m tools.recorded_figures # for the page of results
	@$(BIN)/python tools/execute_notebooks.py $(CHAPTER)

check: $(READY) ## Check the chapters: rules, equations, outputs, pictures; CHAPTER=11 for one
	@$(BIN)/python tools/check_chapter.py $(CHAPTER)

lock: ## Resolve requirements.txt again and write constraints.txt
	rm -rf build/lock
	$(call install,build/lock,)
	build/lock/bin/pip freeze --all --exclude pip > build/lock/pins
	echo '# The whole tree, as resolved for requirements.txt. Written by `make lock`.' > constraints.txt
	sed 's/+[^+]*$$//' build/lock/pins >> constraints.txt # 2.13.0+cpu is on no public index

clean: ## Remove everything that make has built
	rm -rf .venv _build build *.egg-info

$(READY): requirements.txt constraints.txt pyproject.toml
	$(call install,.venv,-c constraints.txt)
	$(BIN)/pip install --no-deps --no-build-isolation -e .
	touch $@

# $(call install,FOLDER,OPTIONS OF PIP): a virtual environment with the requirements
define install
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
	"Python 3.11 or newer is needed, and $(PYTHON) is " + sys.version.split()[0] \
	+ "; name another with: make PYTHON=python3.12 ...")'
$(PYTHON) -m venv $1
$(if $(TORCH_INDEX),$1/bin/pip install --no-deps --index-url $(TORCH_INDEX) $(shell grep ^torch== requirements.txt))
$1/bin/pip install -r requirements.txt $2
endef
