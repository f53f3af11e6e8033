"""What Prometheus is told, judged by its own parsers."""

from __future__ import annotations

import shutil
import subprocess
from typing import Any

import msgspec
from needs import needs
from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics
from samples import HOSTILE, NOW, sample, worker

import tmdb_scrapy
from tmdb_scrapy.watch.metrics import exposition
from tmdb_scrapy.watch.sampler import Sample

WORKER = {"kind": "movies", "host": "here", "worker": "here-1-abc"}
OPENMETRICS = "application/openmetrics-text;version=1.0.0"


def read(told: Sample) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every series by name and labels, as the text format's own parser has it."""
    text = exposition(lambda: told, "")[0].decode()
    return {
        (each.name, frozenset(each.labels.items())): each.value
        for family in parser.text_string_to_metric_families(text)
        for each in family.samples
    }


def value(series: dict[Any, float], name: str, **labels: str) -> float:
    return series[name, frozenset(labels.items())]


def test_every_state_stands_beside_its_kind() -> None:
    series = read(sample(worker()))
    states = {
        state: value(series, "tmdb_ids", kind="movies", state=state)
        for state in ("queued", "kept", "dropped", "missing", "failed", "stale")
    }
    assert states == {"queued": 100, "kept": 50, "dropped": 30, "missing": 5, "failed": 4, "stale": 1}
    assert value(series, "tmdb_ids_dropped", kind="movies", reason="budget") == 29
    assert value(series, "tmdb_leases", kind="movies") == 7
    assert value(series, "tmdb_workers", kind="movies", state="crawling") == 1
    assert value(series, "tmdb_workers", kind="movies", state="gone") == 1
    assert value(series, "tmdb_last_update_timestamp_seconds", kind="movies") == 1_764_000_000
    assert value(series, "tmdb_oldest_record_age_seconds", kind="movies") == 86_400
    assert value(series, "tmdb_redis_up") == 1
    assert value(series, "tmdb_build_info", version=tmdb_scrapy.__version__) == 1


def test_a_kind_that_nobody_seeded_is_not_there() -> None:
    assert not [labels for _, labels in read(sample(worker())) if ("kind", "people") in labels]


def test_a_kind_that_is_paused_before_it_is_seeded_is_there() -> None:
    told = sample(worker())
    told.kinds["people"] = msgspec.structs.replace(told.kinds["people"], paused_since=NOW - 60)
    assert value(read(told), "tmdb_paused", kind="people") == 1


def test_what_a_worker_counts_bears_its_kind_host_and_name() -> None:
    series = read(sample(worker()))
    assert value(series, "tmdb_worker_answers_total", **WORKER) == 40
    assert value(series, "tmdb_worker_throttled_total", **WORKER) == 3
    assert value(series, "tmdb_worker_settled_total", **WORKER) == 22
    assert value(series, "tmdb_worker_in_flight", **WORKER) == 5
    assert value(series, "tmdb_worker_memory_bytes", **WORKER) == 100_000_000
    assert value(series, "tmdb_worker_last_seen_timestamp_seconds", **WORKER) == NOW - 1


def test_durations_are_a_histogram_whose_buckets_add_up() -> None:
    series = read(sample(worker()))
    assert value(series, "tmdb_request_duration_seconds_bucket", **WORKER, le="0.05") == 10
    assert value(series, "tmdb_request_duration_seconds_bucket", **WORKER, le="0.1") == 30
    assert value(series, "tmdb_request_duration_seconds_bucket", **WORKER, le="+Inf") == 40
    assert value(series, "tmdb_request_duration_seconds_count", **WORKER) == 40
    assert value(series, "tmdb_request_duration_seconds_sum", **WORKER) == 12.5


def test_workers_that_are_gone_drop_out_and_so_does_everything_while_redis_is_away() -> None:
    assert not [name for name, _ in read(sample()) if name.startswith("tmdb_worker_")]
    series = read(sample(worker(), trouble="no Redis answers"))
    assert {name for name, _ in series} == {"tmdb_redis_up", "tmdb_build_info"}
    assert value(series, "tmdb_redis_up") == 0
    assert value(read(Sample()), "tmdb_redis_up") == 0


def test_families_are_declared_also_when_they_are_empty() -> None:
    lines = exposition(Sample, "")[0].decode().splitlines()
    assert {line.split()[2] for line in lines if line.startswith("# TYPE")} >= {
        "tmdb_ids", "tmdb_ids_dropped", "tmdb_leases", "tmdb_workers", "tmdb_worker_answers_total",
        "tmdb_worker_throttled_total", "tmdb_worker_settled_total", "tmdb_request_duration_seconds",
        "tmdb_last_update_timestamp_seconds", "tmdb_oldest_record_age_seconds",
    }  # fmt: skip


def test_a_hostile_name_is_a_label_and_nothing_else() -> None:
    series = read(sample(worker(name=HOSTILE, host=HOSTILE * 200)))
    assert value(series, "tmdb_worker_in_flight", kind="movies", host=HOSTILE * 200, worker=HOSTILE) == 5


def test_a_heartbeat_without_durations_has_no_histogram() -> None:
    series = read(sample(worker(durations=[])))
    assert ("tmdb_request_duration_seconds_count", frozenset(WORKER.items())) not in series


def test_the_content_type_is_the_one_that_was_asked_for() -> None:
    assert exposition(lambda: sample(worker()), "text/plain")[1].startswith("text/plain; version=")
    text, content_type = exposition(lambda: sample(worker()), OPENMETRICS)
    assert content_type.startswith("application/openmetrics-text")
    families = {family.name for family in openmetrics.text_string_to_metric_families(text.decode())}
    assert {"tmdb_ids", "tmdb_worker_answers", "tmdb_build"} <= families


def test_promtool_has_nothing_to_object() -> None:
    promtool = shutil.which("promtool")
    needs("" if promtool else "promtool is not installed (Debian: prometheus)")
    text = exposition(lambda: sample(worker(), worker(name="b", host="there")), "")[0]
    command = [str(promtool), "check", "metrics"]
    checked = subprocess.run(command, input=text, capture_output=True, check=False)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")
