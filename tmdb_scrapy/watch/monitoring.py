"""Builds what Prometheus and Grafana are given: `python -m tmdb_scrapy.watch.monitoring DIRECTORY`.

The files in docs/monitoring/ were made so; a test makes them again and compares.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

ALERTS = "alerts.yml"
DASHBOARD = "grafana.json"
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
WIDTH, HEIGHT = 12, 8
"""Of a panel, in Grafana's grid, which is 24 wide."""


class Alert(NamedTuple):
    """One rule: what has to be so, for how long, and what to say then."""

    name: str
    expression: str
    lasting: str
    severity: str
    summary: str
    advice: str


class Panel(NamedTuple):
    """One chart: its queries with their legends, and the unit as Grafana calls it."""

    title: str
    meaning: str
    unit: str
    queries: tuple[tuple[str, str], ...]


WORKING = 'sum by (kind) (tmdb_workers{state!="gone"})'
QUEUED = 'tmdb_ids{state="queued"}'
RULES = (
    Alert(
        "TmdbRedisDown", "tmdb_redis_up == 0", "2m", "critical",
        "Redis is away", "Workers wait and lose nothing. Start it again: make redis, or make init.",
    ),
    Alert(
        "TmdbNobodyCrawls", f"sum by (kind) ({QUEUED}) > 0 unless {WORKING} > 0", "10m", "warning",
        "{{ $labels.kind }} are queued and no worker lives", "Start workers: make crawl, or make launch.",
    ),
    Alert(
        "TmdbNothingSettled",
        f"sum by (kind) (delta({QUEUED}[10m])) == 0 and sum by (kind) ({QUEUED}) > 0 "
        f"and {WORKING} > 0 and sum by (kind) (tmdb_paused) == 0",
        "5m", "warning",
        "no ID of {{ $labels.kind }} ended for ten minutes",
        "See what the workers wait for: make status, and the last error of each.",
    ),
    Alert(
        "TmdbLeasesOfTheDead", 'tmdb_workers{state="gone"} > 0', "10m", "warning",
        "{{ $value }} workers of {{ $labels.kind }} are gone and nobody took their leases over",
        "Start a worker: it takes them over by itself.",
    ),
    Alert(
        "TmdbFailuresRise", 'delta(tmdb_ids{state=~"failed|stale"}[30m]) > 50', "5m", "warning",
        "IDs of {{ $labels.kind }} fail", "The dashboard lists why. Afterwards: make retry.",
    ),
    Alert(
        "TmdbThrottled",
        "sum by (kind) (rate(tmdb_worker_throttled_total[10m])) > "
        "0.2 * sum by (kind) (rate(tmdb_worker_answers_total[10m]))",
        "15m", "warning",
        "more than a fifth of the answers for {{ $labels.kind }} are 429",
        "Somebody else uses the address or the key: lower RATE_LIMIT.",
    ),
    Alert(
        "TmdbUpdateOverdue", "time() - tmdb_last_update_timestamp_seconds > 2 * 86400", "1h", "warning",
        "the last update of {{ $labels.kind }} is two days old", "Look at its log, and run it again.",
    ),
    Alert(
        "TmdbRecordsTooOld", "tmdb_oldest_record_age_seconds > 180 * 86400", "1h", "warning",
        "a record of {{ $labels.kind }} is older than TMDb's terms allow", "Fetch the kind again.",
    ),
)  # fmt: skip

RATE = "[$__rate_interval]"
PANELS = (
    Panel(
        "IDs", "By state. Queued goes down to nothing.", "short",
        (('sum by (kind, state) (tmdb_ids{kind=~"$kind"})', "{{kind}} {{state}}"),),
    ),
    Panel(
        "Dropped", "By the reason of the filter.", "short",
        (('tmdb_ids_dropped{kind=~"$kind"}', "{{kind}} {{reason}}"),),
    ),
    Panel(
        "IDs that end", "Of all workers together.", "cps",
        ((f'sum by (kind) (rate(tmdb_worker_settled_total{{kind=~"$kind"}}{RATE}))', "{{kind}}"),),
    ),
    Panel(
        "Answers", "Those of status 429 beside all; and what the rate governors allow.", "reqps",
        (
            (f'sum by (kind) (rate(tmdb_worker_answers_total{{kind=~"$kind"}}{RATE}))', "{{kind}}"),
            (f'sum by (kind) (rate(tmdb_worker_throttled_total{{kind=~"$kind"}}{RATE}))', "{{kind}} 429"),
            ('sum by (kind) (tmdb_worker_allowed_per_second{kind=~"$kind"})', "{{kind}} allowed"),
        ),
    ),
    Panel(
        "How long answers take", "Half of them take less than the median.", "s",
        tuple(
            (
                f"histogram_quantile({share}, sum by (kind, le) "
                f'(rate(tmdb_request_duration_seconds_bucket{{kind=~"$kind"}}{RATE})))',
                f"{{{{kind}}}} {name}",
            )
            for share, name in (("0.5", "median"), ("0.99", "99 of 100"))
        ),
    ),
    Panel(
        "Workers", "By state; gone ones have left leases.", "short",
        (('sum by (kind, state) (tmdb_workers{kind=~"$kind"}) > 0', "{{kind}} {{state}}"),),
    ),
    Panel(
        "Requests on the wire, by host", "Of each host's workers together.", "short",
        (('sum by (host) (tmdb_worker_in_flight{kind=~"$kind"})', "{{host}}"),),
    ),
    Panel(
        "Memory, by host", "Resident, of each host's workers together.", "bytes",
        (('sum by (host) (tmdb_worker_memory_bytes{kind=~"$kind"})', "{{host}}"),),
    ),
)  # fmt: skip


def alerts() -> str:
    """The rules, as Prometheus reads them."""
    lines = ["# Made by tmdb_scrapy/watch/monitoring.py.", "groups:", "  - name: tmdb", "    rules:"]
    for rule in RULES:
        lines += [
            f"      - alert: {rule.name}",
            f"        expr: {json.dumps(rule.expression)}",
            f"        for: {rule.lasting}",
            f"        labels: {{severity: {rule.severity}}}",
            "        annotations:",
            f"          summary: {json.dumps(rule.summary)}",
            f"          description: {json.dumps(rule.advice)}",
        ]
    return "\n".join(lines) + "\n"


def dashboard() -> str:
    """The dashboard, as Grafana imports it: of whatever data source the viewer chooses."""
    page = {
        "title": "TMDb crawl",
        "uid": "tmdb-scrapy",
        "tags": ["tmdb"],
        "schemaVersion": 39,
        "timezone": "utc",
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {
            "list": [
                {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"},
                {
                    "name": "kind", "label": "Kind", "type": "query", "datasource": SOURCE, "refresh": 2,
                    "query": "label_values(tmdb_ids, kind)", "includeAll": True, "multi": True,
                    "current": {"text": "All", "value": "$__all"},
                },
            ]
        },
        "panels": [_panel(number, panel) for number, panel in enumerate(PANELS)],
    }  # fmt: skip
    return json.dumps(page, indent=1) + "\n"


def _panel(number: int, panel: Panel) -> dict[str, Any]:
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": panel.title,
        "description": panel.meaning,
        "datasource": SOURCE,
        "gridPos": {"x": number % 2 * WIDTH, "y": number // 2 * HEIGHT, "w": WIDTH, "h": HEIGHT},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": [
            {"refId": chr(ord("A") + index), "datasource": SOURCE, "expr": expression, "legendFormat": legend}
            for index, (expression, legend) in enumerate(panel.queries)
        ],
    }


def build(directory: Path) -> None:
    """Write both files."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / ALERTS).write_text(alerts(), encoding="utf-8")
    (directory / DASHBOARD).write_text(dashboard(), encoding="utf-8")


if __name__ == "__main__":
    build(Path(sys.argv[1]))
