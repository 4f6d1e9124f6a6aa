# Everything a newcomer needs: `make demo` shows the product, `make test` proves it.
# Each target does its own set-up; nothing but python3 (3.11+), venv and make is assumed.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.PHONY: install demo demo-cli test prove check format bench bench-peer lock clean drill

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
	@$(BIN)/python -m pytest -q -n auto

# What must hold for any traces at all, on 10,000 generated examples each: takes a while.
prove: install
	@$(BIN)/python -m pytest -q -n auto --hypothesis-profile prove tests/analysis

check: install
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python tests/dependency_audit.py

format: install
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: install
	@$(BIN)/python bench/run.py

# Kills, stalls and fails everything under load; its last line says what became of every command.
drill: install
	@$(BIN)/python bench/drill.py

# Another tool to time in the same run; its dependencies are none of ours, so it has an environment of its own.
bench-peer:
	@test -x .peer/bin/python || $(PYTHON) -m venv .peer
	@.peer/bin/python -m pip install --quiet --disable-pip-version-check jaeger-mcp==0.6.1

# Needs uv (https://docs.astral.sh/uv/); only maintainers change the locks.
lock:
	uv pip compile --no-strip-extras --quiet --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml -o requirements.lock
	uv pip compile --no-strip-extras --quiet --universal --python-version 3.11 --generate-hashes --no-header --extra otel pyproject.toml -c requirements.lock -o requirements-otel.lock
	uv pip compile --no-strip-extras --quiet --universal --python-version 3.11 --generate-hashes --no-header --group dev pyproject.toml -o requirements-dev.lock

clean:
	rm -rf $(VENV) .audit .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis dist
