"""How figures are made of what was seen."""

from __future__ import annotations

import itertools

import pytest

from benchmarks.crawlers import gap_s
from benchmarks.processes import Ran, Sample
from benchmarks.scenarios.flatness import FLAT, growth_mb, tenths_mb
from benchmarks.servers import Answered


def slot(start: float, rounds: int, answer_s: float, pause_s: float) -> list[Answered]:
    """What a server sees of one slot."""
    round_s = answer_s + pause_s
    arrivals = itertools.islice(itertools.count(start, round_s), rounds)
    return [Answered(arrived, arrived + answer_s, 200) for arrived in arrivals]


def test_the_gap_is_the_time_between_an_answer_and_the_next_request_of_its_slot() -> None:
    answered = [seen for start in (0.0, 0.07, 0.11) for seen in slot(start, 1_000, 0.2, 0.003)]
    assert gap_s(answered, 3) == pytest.approx(0.003, rel=0.02)


def ran(resident_mb: list[float]) -> Ran:
    samples = [Sample(float(at), 0.0, int(mb * 1e6), 0) for at, mb in enumerate(resident_mb)]
    return Ran(0.0, float(len(samples)), 0.0, samples)


def test_memory_that_fills_at_first_is_flat() -> None:
    worker = ran([*range(50, 70), *[70] * 80])
    assert FLAT.is_met(growth_mb(worker, 0, 100))


def test_memory_that_grows_all_the_time_is_not_flat() -> None:
    worker = ran([50 + at / 10 for at in range(100)])
    assert growth_mb(worker, 0, 100) == pytest.approx(6, abs=0.2)
    assert not FLAT.is_met(growth_mb(worker, 0, 100))


def test_memory_over_time_has_ten_figures() -> None:
    assert tenths_mb(ran([float(at) for at in range(100)])) == [4.5 + 10 * tenth for tenth in range(10)]
