# What people and CI run. Each target makes .venv by itself; `make help` lists them.

VENV := .venv
BIN := $(VENV)/bin

# The first Python that is new enough; PYTHON=… chooses another.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

# Where recorded tours are, with the scorer that knows the truth about them; not part of this tree.
RECORDINGS ?= ../shared/data
SCORED := route-snap-cases route-snap-real wmata-bus

# `make score THROUGH=new` asks a whole product by HTTP instead, started for it; an address asks the one that runs there.
THROUGH ?=

.DEFAULT_GOAL := help
.PHONY: help run test lint fix kill-messages chaos day stress soak fuzz screenshots desk-screens desk-types desk-day desk-pace page-pace bench score docs wheel-check clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "  make %-12s %s\n", $$1, $$2 }'

run: $(VENV)/.installed ## start everything with a demo city and a simulated fleet; prints the links to open
	@$(BIN)/reparto demo

# One more than there are processors: tests of whole products wait for processes to start and to end.
test: $(VENV)/.dev ## the whole suite, on a throw-away Postgres of its own
	$(BIN)/pytest --numprocesses=$(shell expr $$(nproc) + 1) --dist=loadfile --no-loadscope-reorder $(TESTS)

lint: $(VENV)/.dev ## style, types, and that imports run one way
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: $(VENV)/.dev ## repair what ruff can repair
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

kill-messages: $(VENV)/.dev ## kill everything a hundred times while messages leave; about half an hour
	KILLS=100 $(BIN)/pytest -q tests/acceptance/test_messages.py

chaos: $(VENV)/.dev ## kill, stop, fill, cut and misdate a product for MINUTES=10, from SEED=1, and see what is lost
	$(BIN)/python -m tests.acceptance.chaos --minutes $(or $(MINUTES),10) --seed $(or $(SEED),1)

day: $(VENV)/.dev ## plan, drive and plan again a day of ORDERS=300 on the streets of a real town; say what recipients heard
	REPARTO_TEST_ORDERS=$(or $(ORDERS),300) $(BIN)/pytest -q -s tests/journeys/test_planned_day.py

stress: $(VENV)/.dev ## track made-up tours that nobody has seen, TOURS=10 of each kind, and say what is wrong; STREETS=town.osm.pbf
	$(BIN)/python -m tests.tours --tours $(or $(TOURS),10) $(if $(SEED),--seed $(SEED)) $(if $(STREETS),--streets $(STREETS))

soak: $(VENV)/.dev ## a steady load for MINUTES=60: what grows that should not
	$(BIN)/python -m tests.acceptance.soak --minutes $(or $(MINUTES),60)

fuzz: $(VENV)/.fuzz ## ever new bytes for everything that reads what strangers send, MINUTES=10 for each
	$(BIN)/python -m tests.fuzz --minutes $(or $(MINUTES),10) $(if $(SEED),--seed $(SEED))

screenshots: $(VENV)/.dev ## pictures of the tracking page and of every e-mail in build/screens; ONLY=next-es-phone takes some pages
	$(BIN)/pytest -q tests/browser/screens.py
	SCREENS=build/screens/letters $(BIN)/pytest -q tests/browser/test_letters.py
	@echo "open build/screens/index.html"

desk-screens: $(VENV)/.dev ## pictures of every page of the desk in build/screens/desk; ONLY=tour-es-phone takes some
	$(BIN)/pytest -q tests/browser/desk/screens.py
	@echo "open build/screens/desk/index.html"

desk-types: $(VENV)/.dev ## hold the desk's scripts to their types (TypeScript of npm, where node is)
	@command -v npm >/dev/null || echo "npm is not installed: nothing can be checked"
	@! command -v npm >/dev/null || npm install --no-save --no-audit --no-fund --silent typescript@5
	$(BIN)/pytest -q -rs tests/api/desk/test_types.py

desk-day: $(VENV)/.dev ## a dispatcher's whole day in a browser, in every language
	LANGUAGES="es pt en" $(BIN)/pytest -q tests/browser/desk/test_day.py

desk-pace: $(VENV)/.dev ## measure the desk's map with a fleet that moves; VANS=5000 UPDATES=500
	$(BIN)/pytest -q -s tests/browser/desk/pace.py

page-pace: $(VENV)/.dev ## measure how soon the tracking page is there on a slow phone and line
	$(BIN)/pytest -q -s tests/browser/pace.py

bench: $(VENV)/.installed ## measure this machine: pings a second acknowledged and tracked
	$(BIN)/reparto bench ingest

score: $(VENV)/.installed ## hold live tracking of the recorded tours in RECORDINGS against the truth
	@$(BIN)/reparto score $(SCORED:%=$(RECORDINGS)/%) --out build/score \
		--scorer $(RECORDINGS)/route-snap-cases/score_snap.py $(if $(THROUGH),--through $(THROUGH))

docs: $(VENV)/.dev ## build the documentation into site/; a broken link fails
	$(BIN)/mkdocs build --strict --quiet
	@echo "open site/index.html"

wheel-check: $(VENV)/.dev ## build the wheel, install it into an empty environment, start each service once
	$(BIN)/python .ci/wheel_check.py

clean: ## remove what the other targets made, but not the data in .reparto
	rm -rf $(VENV) build dist site .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

# pip knows dependency groups (PEP 735) since 25.1, and Python 3.11 comes with an older one.
$(VENV)/.made:
	@test -n "$(PYTHON)" || { echo "Reparto needs Python 3.11 or newer; the python3 here is" \
		"$$(python3 --version 2>/dev/null || echo missing). Install one, or name it: make PYTHON=/path/to/python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "$(PYTHON) cannot make virtual environments:" \
		"apt install python3-venv (Debian, Ubuntu)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@touch $@

# Planners have no wheels for some machines; there the demo makes its tours up, and says so.
PIP_INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check
$(VENV)/.installed: $(VENV)/.made pyproject.toml $(wildcard geo/step/*.c geo/step/*.h)
	$(PIP_INSTALL) --only-binary=pyvrp,pyvroom --editable '.[plan,parquet]' || $(PIP_INSTALL) --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group dev
	@touch $@

$(VENV)/.fuzz: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group fuzz
	@touch $@
