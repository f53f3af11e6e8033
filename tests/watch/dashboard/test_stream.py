"""What a viewer is told every two seconds."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from samples import NOW, movies, sample, worker

from tmdb_scrapy.config import Config
from tmdb_scrapy.queue import Minute
from tmdb_scrapy.watch.dashboard.stream import MOST_ROWS, Stream, Told, shape
from tmdb_scrapy.watch.sampler import Sample, Sampler

LIMIT_BYTES_PER_S = 20_000


@pytest.fixture
def sampler(config: Config) -> Sampler:
    return Sampler(config)


def told(stream: Stream, sampler: Sampler, now: float = NOW) -> Any:
    message = stream.message(Told.of(sampler, now))
    assert message.startswith(b"data: ")
    assert message.endswith(b"\n\n")
    assert b"\n" not in message[:-2]
    return json.loads(message[6:])


def test_figures_come_always_and_rows_when_they_changed(sampler: Sampler) -> None:
    stream = Stream()
    sampler.sample = sample(worker(), worker(name="b"))
    first = told(stream, sampler)
    assert first["kinds"]["movies"]["queued"] == 100
    assert list(first["kinds"]) == ["movies"]
    assert first["rows"].keys() == {"here-1-abc", "b"}
    sampler.sample = sample(worker(), worker(name="b", in_flight=9))
    second = told(stream, sampler)
    assert second["kinds"] == first["kinds"]
    assert second["rows"].keys() == {"b"}


def test_a_thousand_workers_are_told_of_in_turn_and_each_stream_is_thin(
    sampler: Sampler, figures: Callable[[str], None]
) -> None:
    names = [f"machine-{n:04}.example-{n}-0a1b2c" for n in range(1_000)]
    stream, seen, sizes = Stream(), set(), []
    for turn in range(7):
        sampler.sample = sample(*(worker(name=name, rate_per_s=turn + 0.5) for name in names))
        message = stream.message(Told.of(sampler, NOW))
        rows = json.loads(message[6:])["rows"]
        assert len(rows) == MOST_ROWS
        seen.update(rows)
        sizes.append(len(message))
    assert seen == set(names)
    per_s = max(sizes) / 2
    figures(f"stream of 1,000 workers: {per_s / 1000:.1f} KB/s a viewer")
    assert per_s < LIMIT_BYTES_PER_S


@pytest.mark.parametrize(
    "change",
    [
        {"workers": []},
        {"dropped": {"budget": 1}},
        {"failures": {5: "http_500"}},
        {"lost": {}},
        {"paused_since": NOW},
        {"recent": {9: Minute(), 8: Minute()}},
    ],
)
def test_the_shape_changes_with_rows_buttons_and_charts(sampler: Sampler, change: dict[str, Any]) -> None:
    sampler.sample = sample(worker())
    before = shape(sampler)
    sampler.sample = sample(kinds={"movies": movies(*change.pop("workers", [worker()]), **change)})
    assert shape(sampler) != before


def test_the_shape_does_not_change_with_figures(sampler: Sampler) -> None:
    sampler.sample = sample(worker())
    before = shape(sampler)
    sampler.sample = sample(kinds={"movies": movies(worker(rate_per_s=1.0), leased=99)}, at=NOW + 2)
    assert shape(sampler) == before


def test_it_says_since_when_and_why_it_is_stale(sampler: Sampler) -> None:
    stream = Stream()
    sampler.sample = sample(worker(), trouble="no Redis answers at here")
    assert told(stream, sampler)["stale"] == "stale since 12:00:00 UTC: no Redis answers at here"
    sampler.sample = sample(worker())
    assert told(stream, sampler)["stale"] == ""
    assert told(stream, sampler, NOW + 60)["stale"] == "stale since 12:00:00 UTC: Redis does not answer"
    sampler.sample = Sample(trouble="no Redis answers")
    assert "Redis has not been read yet" in told(stream, sampler)["stale"]
