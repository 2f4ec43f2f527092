# Two commands do everything on a fresh machine: `make demo` and `make test`.
# PYTHON chooses the interpreter of the environment (3.11 or newer), JOBS the number of test processes.
PYTHON ?= python3
JOBS ?= 2
BIN := .venv/bin
# The name says which Python the environment is for: another PYTHON makes another environment.
READY := .venv/.ready-$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')

.PHONY: env demo test full corpus fuzz lint format bench matrix docs clean

env: $(READY)

# A finished environment is brought up to date; an absent, half-made or foreign one is made anew.
$(READY): pyproject.toml constraints.txt
	test -e $@ || $(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: env
	$(BIN)/python -m examples.demo

test: env
	$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup

# The networks of whose form a smaller one runs in every test run.
full: env
	$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup -m full

# The proof judged by all planted bugs and correct ports (tests/mutants), as a table.
corpus: env
	$(BIN)/python -m tests.mutants.run --jobs $(JOBS)

# A million damaged files through every reader, and two thousand conversions killed (tests/fuzz); about an hour and a half, idle.
fuzz: env
	$(BIN)/python -m tests.fuzz.run --count 1000000
	$(BIN)/python -m tests.fuzz.kills --count 2000

lint: env
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: env
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: env
	$(BIN)/python -m benchmarks.startup
	$(BIN)/python -m benchmarks.convert
	$(BIN)/python -m benchmarks.models
	$(BIN)/python -m benchmarks.parity

# The commands with other versions of Paddle and torch, each in an environment of its own outside of this folder (about 15 GB,
# half an hour); the table goes into docs/guide/environments.md.
matrix: env
	$(BIN)/python -m benchmarks.matrix

docs: env
	$(BIN)/python -m docs.tools.build

clean:
	rm -rf .venv demo build dist site .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
