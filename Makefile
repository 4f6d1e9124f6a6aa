# Everything a newcomer needs: `make demo` shows the product, `make test` proves it.
# Each target does its own set-up; nothing but python3 (3.11+), venv and make is assumed.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.PHONY: install demo demo-cli test prove check format bench bench-peer lock clean drill load docs screenshot coverage mutants build

install: $(STAMP)

# Rebuilt only when the locks or the package's own metadata change.
$(STAMP): requirements.lock requirements-dev.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $(STAMP)

demo: install
	@$(BIN)/python -m bot playground

demo-cli: install
	@$(BIN)/python -m bot playground --cli

test: install
	@$(BIN)/python tests/browser_setup.py
	@$(BIN)/python tests/metrics_setup.py
	@$(BIN)/python -m pytest -q -n auto --dist worksteal

# What must hold for anything that can be sent, on 10,000 generated examples each (1,000 of whole windows): takes a while.
prove: install
	@$(BIN)/python -m pytest -q -n auto --dist worksteal --hypothesis-profile prove tests

# The whole suite with what it runs of either package, in child processes too, and what it does not.
coverage: install
	@$(BIN)/python -m pytest -q -n auto --dist worksteal --cov --cov-report=
	@$(BIN)/coverage report --include='analysis/*' --skip-covered --precision=1 --fail-under=100
	@$(BIN)/coverage report --include='bot/*' --skip-covered --fail-under=95

# Would the tests notice a wrong line? docs/TESTING.md says how to read the result. Takes an hour; ONLY= names mutants.
MUTANTS := .mutants
mutants:
	@test -x $(MUTANTS)/bin/mutmut || $(PYTHON) -m venv $(MUTANTS)
	@$(MUTANTS)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.lock
	@$(MUTANTS)/bin/python -m pip install --quiet --disable-pip-version-check mutmut==3.8.1
	@$(MUTANTS)/bin/mutmut run $(ONLY)
	@$(MUTANTS)/bin/mutmut results

check: install
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python tests/dependency_audit.py

# Writes anew what is generated: the outputs of commands in the pages, settings, findings, metrics.
docs: install
	@$(BIN)/python tests/documented.py
	@$(BIN)/python -m bot settings > docs/SETTINGS.md
	@$(BIN)/python -m analysis.findings > docs/FINDINGS.md
	@$(BIN)/python -m bot.telemetry.metrics > docs/METRICS.md

screenshot: install
	@$(BIN)/python tests/browser_setup.py
	@$(BIN)/python tests/screenshot.py

build: install
	@$(BIN)/python -m hatchling build

format: install
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: install
	@$(BIN)/python bench/run.py

# Kills, stalls and fails everything under load; its last line says what became of every command.
drill: install
	@$(BIN)/python bench/drill.py

# Acknowledgements, time to verdict, throughput by number of workers, memory, and what holds up the event loop.
load: install
	@$(BIN)/python bench/ways.py
	@$(BIN)/python bench/load.py

# Another tool to time in the same run; its dependencies are none of ours, so it has an environment of its own.
bench-peer:
	@test -x .peer/bin/python || $(PYTHON) -m venv .peer
	@.peer/bin/python -m pip install --quiet --disable-pip-version-check jaeger-mcp==0.6.1

# Needs uv (https://docs.astral.sh/uv/); only maintainers change the locks.
lock:
	uv pip compile --no-strip-extras --quiet --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml -o requirements.lock
	uv pip compile --no-strip-extras --quiet --universal --python-version 3.11 --generate-hashes --no-header --extra otel pyproject.toml -c requirements.lock -o requirements-otel.lock
	uv pip compile --no-strip-extras --quiet --universal --python-version 3.11 --generate-hashes --no-header --extra mcp pyproject.toml -c requirements.lock -o requirements-mcp.lock
	uv pip compile --no-strip-extras --quiet --universal --python-version 3.11 --generate-hashes --no-header --group dev pyproject.toml -o requirements-dev.lock

clean:
	rm -rf $(VENV) $(MUTANTS) mutants .audit .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis dist
