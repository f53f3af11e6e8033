# Every target is one line over a command of the project; `make` alone lists them.
SHELL := /bin/sh
PYTHON ?= python3
VENV_DIR ?= .venv
VENV := $(VENV_DIR)/bin
SCRAPY := $(VENV)/scrapy
KIND ?= movies
KINDS := $(if $(filter command line environment,$(origin KIND)),$(KIND),)

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-all test-fast lint format bench soak redis redis-stop seed crawl status merge audit retry upload tables report quick refresh update schedule pause resume dashboard

help: ## show this list
	@grep -hE '^[a-z_-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

setup: $(VENV_DIR)/.complete ## make .venv with the pinned dependencies

$(VENV_DIR)/.complete: pyproject.toml constraints.txt
	@echo 'setting up $(VENV_DIR): a minute or two, once'
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make setup PYTHON=python3.11")'
	@$(PYTHON) -c 'import os, sys; sys.exit(not (hasattr(os, "fdatasync") and hasattr(os, "sched_getaffinity") and os.path.exists("/proc/self/stat")) and "GNU/Linux is needed, also in a container or a virtual machine: this system has no fdatasync, sched_getaffinity or /proc")'
	@test -x $(VENV)/python || $(PYTHON) -m venv $(VENV_DIR)
	@$(VENV)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[redis-server,dev]'
	@touch $@

demo: setup ## the whole job on made-up records: no key, no network (KIND=tv for series)
	@$(SCRAPY) demo $(KINDS)

test: setup ## all tests but the slow ones
	$(VENV)/pytest -n 6 --dist loadgroup -m "not slow and not alone"

test-all: setup ## all that can run on this machine, twenty minutes: the slow ones, and those that measure time
	$(VENV)/pytest -n 6 --dist loadgroup -m "not alone"
	$(VENV)/pytest -m alone

test-fast: setup ## those of two minutes (PYTHON=python3.13 VENV_DIR=.venv-3.13: with another Python)
	$(VENV)/pytest -n 4 --dist loadgroup -m "not slow and not alone" --ignore tests/e2e --ignore tests/fleet --ignore tests/benchmarks

lint: setup ## lint, formatting, types, which room may import which
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
	$(VENV)/mypy
	$(VENV)/lint-imports --no-logo

format: setup ## put the code into shape
	$(VENV)/ruff check --fix .
	$(VENV)/ruff format .

redis: setup ## start a Redis on this machine, data in .redis/
	@$(SCRAPY) redis start

redis-stop: setup ## stop it
	@$(SCRAPY) redis stop

seed: setup ## queue the IDs of the daily export (KIND=people, or several: KIND="movies people tv")
	@$(SCRAPY) seed $(KIND)

crawl: setup ## the whole job on this machine: Redis, seed, workers, merge, audit, report (KIND="movies people tv")
	@$(SCRAPY) job $(KIND)

status: setup ## how the crawl stands (WATCH=1 refreshes)
	@$(SCRAPY) status $(KINDS) $(if $(WATCH),--watch)

refresh: setup ## queue what changed since the last time (then make crawl; on a fleet make launch)
	@$(SCRAPY) refresh $(KIND)

quick: setup ## what earned MIN_REVENUE or more in minutes, found by discover in place of the export
	@$(SCRAPY) job $(KIND) --source discover

update: setup ## refresh, crawl, merge, audit, the tables and the upload if there are any (KIND="movies people")
	@$(SCRAPY) update $(KIND)

schedule: setup ## have this machine update daily: prints how; INSTALL=1 installs it, REMOVE=1 takes it back
	@$(SCRAPY) schedule $(KIND) $(if $(INSTALL),--install) $(if $(REMOVE),--remove)

merge: setup ## merge the parts into data/KIND.jsonl
	@$(SCRAPY) merge $(KIND)

audit: setup ## do export, ledger, queue and merged file agree?
	@$(SCRAPY) audit $(KIND)

retry: setup ## queue failed IDs again
	@$(SCRAPY) retry $(KIND)

pause: setup ## have all workers of a kind wait, on every machine
	@$(SCRAPY) pause $(KIND)

resume: setup ## have them go on
	@$(SCRAPY) resume $(KIND)

upload: setup ## upload data/KIND.jsonl to the Nextcloud share
	@$(SCRAPY) upload $(KIND)

tables: setup ## tables of the merged files: Parquet, DuckDB (FORMAT="csv sqlite" for those too)
	@$(VENV)/python -c 'import duckdb' 2>/dev/null || $(VENV)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[tables]'
	@$(SCRAPY) tables $(KINDS) $(FORMAT:%=--format %)

dashboard: setup ## a page that shows the crawl, at http://127.0.0.1:8632 (DASHBOARD="--port 9000 --actions")
	@$(VENV)/python -c 'import jinja2, prometheus_client' 2>/dev/null || $(VENV)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dashboard]'
	@$(SCRAPY) dashboard $(DASHBOARD)

report: setup ## a page about the crawl and what it collected: data/report.html
	@$(SCRAPY) report

bench: setup ## the crawl beside its peers, measured on this machine (BENCH="--help" for options)
	@$(VENV)/python -m benchmarks.run $(BENCH)

soak: setup ## crawls under random faults, for hours (SOAK="--hours 8 --seed 1")
	@$(VENV)/python tests/e2e/soak.py $(SOAK)

include deploy/targets.mk
