.DEFAULT_GOAL := help
SOURCES := runtime/mnist_edge_runtime trainer/mnist_edge_trainer exporters/mnist_edge_exporters cli.py emulators/mnist_edge_emulators
BOARD := pi4
NOTEBOOK := cache
COMMAND := mnist-edge-runtime doctor

.PHONY: help install check format test long coverage docs emulators demo pi memory release-check audit clean

help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install:  ## Install both packages editable, with everything for development
	python -m pip install --constraint .ci/constraints.txt -e ./runtime -e ".[dev]"

check:  ## Format, lint, types, import contracts
	ruff format --check .
	ruff check .
	mypy $(SOURCES)
	lint-imports

format:  ## Bring the code into form
	ruff format .
	ruff check --fix .

test:  ## Run the tests that are quick, on real MNIST where MNIST_EDGE_DATA names its folder
	python -m pytest -n 2

long:  ## Run the tests that are not: whole trainings, kills, pages, the notebook, benchmarks in small
	python -m pytest -n 2 -m long

coverage:  ## Run the tests and show the lines that none of them reaches
	python -m pytest -n 2 -m "" --cov --cov-report=term-missing

docs:  ## Build the pages in docs/ as a site, build/docs/index.html; a warning is an error; NOTEBOOK=off runs no notebook
	python -m sphinx --fail-on-warning --nitpicky --keep-going --quiet -D nb_execution_mode=$(NOTEBOOK) docs build/docs

emulators:  ## Run the tests on emulated boards and chips, which take minutes
	python -m pytest -n 2 tests/emulators

demo:  ## Go the whole way once: train, export, prove, classify
	mnist-edge demo

pi:  ## Run COMMAND on an emulated Raspberry Pi, BOARD: pi4, pi5, zero2, legacy32 or haswell
	emulators/emulated-pi $(BOARD) -- $(COMMAND)

memory:  ## Measure the runtime's memory in an emulated machine, for docs/boards.md
	python emulators/board_page.py --memory

release-check:  ## Build both distributions, install and use them on every Python that is here
	python scripts/release_check.py

audit:  ## Look for known vulnerabilities in what CI installs; an old pillow shows first that they are found
	! echo "pillow==9.0.0" | pip-audit --no-deps --disable-pip --requirement /dev/stdin > /dev/null
	pip-audit --no-deps --disable-pip --requirement .ci/constraints.txt

clean:  ## Remove what builds and tools leave behind
	rm -rf build runtime/build dist *.egg-info runtime/*.egg-info .coverage* .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
