"""Whatever breaks, every ID ends once and the merged file is exact.

Each scenario has a sandbox, a Redis and workers of its own. SIGTERM and Ctrl-C in each phase of a worker's
life, of seeding, merging and the whole job are in `test_stopping.py` and `test_job.py`.
`FAULT_SEED=7 pytest tests/e2e/test_faults.py` strikes at other moments.
"""

from __future__ import annotations

import json
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import disks
import faults
import pytest
from crawl import Crawl
from needs import needs
from saboteur import DiesAfterSettling, DiesBeforeSettling, DiesBeforeSyncing, DiesInALine, installing

MOVIES = 1200
SANDBOX = ("--movies", str(MOVIES), "--people", "300", "--latency-ms", "20")
FLAKY = ("--fault", "503=0.02", "--fault", "reset=0.02", "--fault", "malformed=0.02")

Scenario = Callable[[Crawl, random.Random], int]
"""Breaks a seeded crawl and lets it end; answers how many faults it injected."""

SCENARIOS: dict[str, Scenario] = {}


def scenario(function: Scenario) -> Scenario:
    SCENARIOS[function.__name__] = function
    return function


def struck_by(fault: Callable[[Crawl, random.Random], None], times: int = 1) -> Scenario:
    """Two workers crawl, and the fault strikes some times."""

    def run(crawl: Crawl, chance: random.Random) -> int:
        crawl.start(2)
        crawl.await_settled(50)
        for _ in range(times):
            fault(crawl, chance)
        crawl.finish()
        return times

    return run


SCENARIOS |= {
    "workers_killed_at_random_moments": struck_by(faults.kill_a_worker, times=4),
    "all_workers_killed_then_one_started": struck_by(faults.kill_all_workers),
    "redis_restarted": struck_by(faults.restart_redis, times=2),
    "redis_killed": struck_by(faults.kill_redis, times=2),
    "redis_unreachable": struck_by(faults.make_redis_unreachable),
    "redis_out_of_memory": struck_by(faults.exhaust_redis_memory),
    "redis_read_only": struck_by(faults.make_redis_read_only),
    "api_refuses_connections": struck_by(faults.refuse_connections),
    "api_resets_connections": struck_by(faults.reset_connections),
    "api_answers_503": struck_by(faults.answer_503),
    "part_tails_torn_and_garbage": struck_by(faults.spoil_part_tails, times=2),
    "seed_run_again": struck_by(faults.seed_again),
}


def killed_by(component: type, after: int) -> Scenario:
    """A worker dies at one exact moment while another works on."""

    def run(crawl: Crawl, chance: random.Random) -> int:
        (doomed,) = crawl.start(1, *installing(component), SABOTAGE_AFTER=str(after))
        crawl.start()
        assert doomed.wait() == -signal.SIGKILL, doomed.output
        crawl.finish()
        return 1

    return run


SCENARIOS |= {
    "worker_killed_while_writing_a_line": killed_by(DiesInALine, after=20),
    "worker_killed_before_its_lines_are_synced": killed_by(DiesBeforeSyncing, after=2),
    "worker_killed_between_write_and_settle": killed_by(DiesBeforeSettling, after=2),
    "worker_killed_right_after_it_settled": killed_by(DiesAfterSettling, after=2),
}


@scenario
def worker_frozen_past_its_lease(crawl: Crawl, chance: random.Random) -> int:
    injected = struck_by(faults.freeze_a_worker)(crawl, chance)
    assert crawl.settled_by_workers() > len(crawl.ledger()), "nothing was settled late"
    return injected


@scenario
def every_response_slow(crawl: Crawl, chance: random.Random) -> int:
    crawl.sandbox.set(latency_ms=1500, latency_jitter_ms=1500)
    crawl.start(2, THREADS="250")
    crawl.finish()
    return 1


@scenario
def newer_export_seeded_mid_crawl(crawl: Crawl, chance: random.Random) -> int:
    ids = sorted(crawl.expected())
    older = crawl.directory / "older.json"
    older.write_text("".join(json.dumps({"id": number, "popularity": 1}) + "\n" for number in ids[::2]))
    crawl.redis.flushall()
    (crawl.data / "exports" / "movies.seeds.jsonl").unlink()
    crawl.seed("--file", str(older))
    assert crawl.queued() == len(ids[::2])
    crawl.start(2)
    crawl.await_settled(100)
    crawl.seed()
    crawl.finish()
    return 1


@scenario
def both_kinds_crawled_at_once(crawl: Crawl, chance: random.Random) -> int:
    people = crawl.of("people")
    people.seed()
    crawl.start()
    people.start()
    crawl.await_settled(100)
    faults.kill_a_worker(people, chance)
    people.finish()
    people.assert_exact()
    return 1


@scenario
def disk_full(crawl: Crawl, chance: random.Random) -> int:
    enlarge = crawl.resources.enter_context(disks.small_disk(crawl.data / "movies", megabytes=1))
    workers = crawl.start(2)
    for worker in workers:
        assert worker.wait() == 1, worker.output
        assert "No space left on device" in worker.output
        assert "free some space in DATA_DIR" in worker.output
    assert crawl.queued(), "the disk was not full"
    assert crawl.lost() == 0, "settled before it was on disk"
    enlarge()
    crawl.start(2)
    crawl.finish()
    return 1


IMPOSSIBLE: dict[str, Callable[[Path], str]] = {"disk_full": disks.why_impossible}
"""Scenarios that need more than an ordinary user may do, and what finds out why they cannot run."""


def played(name: str, directory: Path, chance: random.Random, engine: str = "direct") -> str:
    """Play a scenario to its end and judge it; answers what it cost."""
    sandbox = [*SANDBOX, *FLAKY, "--seed", str(chance.randrange(1000))]
    with Crawl(directory, sandbox, TMDB_ENGINE=engine) as crawl:
        crawl.seed()
        started_at = time.monotonic()
        injected = SCENARIOS[name](crawl, chance)
        took_s = time.monotonic() - started_at
        crawl.assert_exact()
        lost = crawl.lost()
        assert lost == 0
        twice = crawl.fetched_twice()
        return f"{name:42} {injected} injected, {lost} lost, {twice:4} fetched twice, {took_s:5.1f} s"


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENARIOS)
def test_every_id_ends_once_in_spite_of(
    name: str,
    chance_for: Callable[[str], random.Random],
    figures: Callable[[str], None],
    tmp_path: Path,
) -> None:
    if name in IMPOSSIBLE:
        needs(IMPOSSIBLE[name](tmp_path))
    figures(played(name, tmp_path / "crawl", chance_for(name)))


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "workers_killed_at_random_moments",
        "worker_killed_between_write_and_settle",
        "worker_frozen_past_its_lease",
        "api_resets_connections",
    ],
)
def test_with_scrapys_own_engine_every_id_ends_once_in_spite_of(
    name: str,
    chance_for: Callable[[str], random.Random],
    figures: Callable[[str], None],
    tmp_path: Path,
) -> None:
    figures("Scrapy's own engine: " + played(name, tmp_path / "crawl", chance_for(name), "scrapy"))
