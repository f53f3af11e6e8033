"""The alert rules and the dashboard of Grafana name only what there is."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from documents import ROOT
from needs import needs
from prometheus_client import parser
from samples import sample, worker

from tmdb_scrapy.watch.metrics import exposition
from tmdb_scrapy.watch.monitoring import ALERTS, DASHBOARD, PANELS, RULES, alerts, build, dashboard

PLACE = ROOT / "docs" / "monitoring"
EXPRESSIONS = [rule.expression for rule in RULES] + [
    expression for panel in PANELS for expression, _ in panel.queries
]


@pytest.fixture(scope="module")
def told() -> str:
    return exposition(lambda: sample(worker()), "")[0].decode()


@pytest.fixture(scope="module")
def metrics(told: str) -> dict[str, set[str]]:
    """The labels of each metric, by the names under which Prometheus stores it."""
    found: dict[str, set[str]] = {}
    for family in parser.text_string_to_metric_families(told):
        for each in family.samples:
            found.setdefault(each.name, set()).update(each.labels)
    return found


@pytest.mark.parametrize("name", [ALERTS, DASHBOARD])
def test_the_files_are_what_the_builder_makes(tmp_path: Path, name: str) -> None:
    build(tmp_path)
    assert (PLACE / name).read_bytes() == (tmp_path / name).read_bytes()


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_metric_and_label_that_is_named_exists(
    metrics: dict[str, set[str]], told: str, expression: str
) -> None:
    named = re.findall(r"(tmdb_\w+)(?:\{([^}]*)\})?", expression)
    labels = set()
    for name, selectors in named:
        assert name in metrics
        assert set(re.findall(r"(\w+)\s*[=!]", selectors)) <= metrics[name]
        labels |= metrics[name]
    for grouped in re.findall(r"by \(([^)]*)\)", expression):
        assert {label.strip() for label in grouped.split(",")} <= labels
    for states in re.findall(r'state[=!~]+"([^"]+)"', expression):
        assert all(f'state="{state}"' in told for state in states.split("|"))
    assert labels or "redis_up" in expression


def test_promtool_accepts_the_rules() -> None:
    promtool = shutil.which("promtool")
    needs("" if promtool else "promtool is not installed (Debian: prometheus)")
    command = [str(promtool), "check", "rules", str(PLACE / ALERTS)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert f"{len(RULES)} rules found" in checked.stdout


def test_the_dashboard_follows_grafanas_advice() -> None:
    """As its linter has it: a data source that the viewer chooses, `$__rate_interval`, and for each panel a
    unit, a title and a description."""
    page: dict[str, Any] = json.loads(dashboard())
    assert page["templating"]["list"][0]["type"] == "datasource"
    assert page["uid"]
    for panel in page["panels"]:
        assert panel["title"]
        assert panel["description"]
        assert panel["fieldConfig"]["defaults"]["unit"]
        for place in (panel, *panel["targets"]):
            assert place["datasource"]["uid"] == "${datasource}"
        for target in panel["targets"]:
            assert not re.search(r"(rate|increase)\([^[]*\[(?!\$__rate_interval)", target["expr"])


def test_every_alert_says_what_to_do() -> None:
    assert all(rule.summary and rule.advice for rule in RULES)
    assert len({rule.name for rule in RULES}) == alerts().count("- alert: ") == len(RULES)
