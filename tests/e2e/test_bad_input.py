"""A mistake of the user's or of the API's costs no ID, and its message says what to do."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

import pytest
from crawl import API_KEY, Crawl
from waiting import wait_until

OTHER_KEY = "0" * 32
NO_REDIS = "redis://:hush-hush@127.0.0.1:1/0"


@pytest.mark.parametrize(
    ("sandbox", "said"),
    [
        (("--key", OTHER_KEY), "Invalid API key"),
        (("--suspended-key", API_KEY), "Suspended API key"),
    ],
)
def test_a_refused_key_stops_the_workers_and_keeps_every_id(
    crawl: Callable[..., Crawl], sandbox: tuple[str, ...], said: str
) -> None:
    refused = crawl("--movies", "500", "--latency-ms", "20", *sandbox)
    refused.seed()
    started_at = time.monotonic()
    for worker in refused.start(2):
        assert worker.wait(20) == 1, worker.output
        last_line = worker.output.splitlines()[-1]
        assert "TMDB_API_KEY" in last_line and said in last_line, worker.output
    assert time.monotonic() - started_at < 15
    assert refused.queued() == 500
    assert refused.asked() < 100, "it asked on although the key is wrong"
    _nothing_is_leased(refused)


def test_a_worker_that_cannot_download_at_all_stops_and_keeps_every_id(crawl: Callable[..., Crawl]) -> None:
    broken = crawl("--movies", "200")
    broken.seed()
    (worker,) = broken.start(1, "-s", 'DOWNLOAD_HANDLERS={"http": "no_such_module.Handler"}')
    assert worker.wait(20) == 1, worker.output
    assert "No module named 'no_such_module'" in worker.output
    last_line = worker.output.splitlines()[-1]
    assert "cannot download" in last_line and "make setup" in last_line, worker.output
    assert broken.queued() == 200
    _nothing_is_leased(broken)


def test_without_a_key_nothing_starts(crawl: Callable[..., Crawl]) -> None:
    keyless = crawl("--movies", "10", TMDB_API_KEY="")
    keyless.seed()
    for command in ("crawl", "job"):
        ended = keyless.scrapy(command, "movies")
        assert ended.code == 2, ended
        assert "TMDB_API_KEY" in ended.output and "themoviedb.org/settings/api" in ended.output
    assert (keyless.queued(), keyless.asked()) == (10, 0)


@pytest.mark.parametrize("command", ["seed", "crawl", "status", "merge", "audit", "retry"])
def test_without_a_redis_the_message_names_its_url_and_what_to_run(
    crawl: Callable[..., Crawl], command: str
) -> None:
    ended = crawl("--movies", "10").scrapy(command, "movies", REDIS_URL=NO_REDIS)
    assert ended.code == 1, ended
    assert "redis://***@127.0.0.1:1/0" in ended.output
    assert "make redis" in ended.output
    assert "hush-hush" not in ended.output
    assert "Traceback" not in ended.output, ended


def test_all_bad_values_are_named_at_once(crawl: Callable[..., Crawl]) -> None:
    bad = {"THREADS": "many", "RATE_LIMIT": "-1", "FILTER": "perhaps", "MIN_BUDGET": "1k"}
    misconfigured = crawl("--movies", "10", **bad, LANGUAGE="en")
    (misconfigured.directory / ".env").write_text("POPULAR_PEOPLE=all ; of them\nLANGUAGE=xx-overruled\n")
    for command in ("crawl", "seed", "job"):
        ended = misconfigured.scrapy(command, "movies")
        assert ended.code == 2, ended
        for key, value in {**bad, "POPULAR_PEOPLE": "all"}.items():
            assert f"{key}={value!r}: must be" in ended.output, ended
        assert "LANGUAGE" not in ended.output
        assert "Traceback" not in ended.output, ended


@pytest.mark.parametrize("setting", ["EXTENSIONS", "ITEM_PIPELINES"])
def test_a_setting_that_drops_what_keeps_the_promises_is_refused(
    crawl: Callable[..., Crawl], setting: str
) -> None:
    bare = crawl("--movies", "10")
    bare.seed()
    ended = bare.scrapy("crawl", "movies", "-s", f"{setting}={{}}")
    assert ended.code == 1 and f"tmdb: {setting} lacks" in ended.output, ended
    assert bare.queued() == 10 and not bare.asked()


def test_a_secret_on_the_command_line_is_refused(crawl: Callable[..., Crawl]) -> None:
    ended = crawl("--movies", "10").scrapy("crawl", "movies", "-s", f"TMDB_API_KEY={OTHER_KEY}")
    assert ended.code == 2, ended
    assert "TMDB_API_KEY" in ended.output and OTHER_KEY not in ended.output


def test_html_instead_of_json_for_a_while_is_waited_out(crawl: Callable[..., Crawl]) -> None:
    captive = crawl("--movies", "300", "--fault", "html=1")
    captive.seed()
    captive.start()
    wait_until(lambda: captive.asked() >= 12, "the portal was seen")
    captive.sandbox.set(faults={})
    captive.finish()
    captive.assert_exact()


def test_a_deleted_movie_is_asked_for_once(crawl: Callable[..., Crawl]) -> None:
    sparse = crawl("--movies", "1000", RATE_LIMIT="0")
    sparse.seed()
    sparse.start(2)
    sparse.finish()
    sparse.assert_exact()
    missing = {number for number, end in sparse.expected().items() if end == "missing"}
    asked = Counter(entry.id for entry in sparse.journal() if entry.id in missing)
    assert missing and asked == dict.fromkeys(missing, 1)


def test_a_poisonous_id_fails_alone_and_retry_puts_it_back(crawl: Callable[..., Crawl]) -> None:
    poisoned = crawl("--movies", "400")
    poisonous = frozenset(sorted(number for number, end in poisoned.expected().items() if end == "kept")[:3])
    poisoned.sandbox.set(poison=sorted(poisonous))
    poisoned.seed()
    poisoned.start(2, "-s", "RETRY_TIMES=2")
    poisoned.finish()
    poisoned.assert_exact(failed=poisonous)
    attempts = Counter(entry.id for entry in poisoned.journal() if entry.id in poisonous)
    assert attempts == dict.fromkeys(poisonous, 3)

    poisoned.sandbox.set(poison=[])
    retried = poisoned.scrapy("retry", "movies")
    assert retried.code == 0 and "queued 3 movies again" in retried.output
    poisoned.start()
    poisoned.finish()
    poisoned.assert_exact()


@pytest.mark.parametrize("fault", ["truncate", "corrupt"])
def test_a_damaged_export_seeds_nothing(crawl: Callable[..., Crawl], fault: str) -> None:
    damaged = crawl("--movies", "5000", "--export-fault", fault)
    ended = damaged.scrapy("seed", "movies")
    assert ended.code == 1, ended
    assert "damaged twice" in ended.output and "--date" in ended.output
    assert damaged.ledger() == {}
    assert not list(damaged.data.rglob("*.gz"))


@pytest.mark.parametrize("fault", ["truncate-once", "corrupt-once"])
def test_an_export_that_came_damaged_once_is_fetched_again(crawl: Callable[..., Crawl], fault: str) -> None:
    unlucky = crawl("--movies", "5000", "--export-fault", fault, "--export-malformed", "5")
    ended = unlucky.scrapy("seed", "movies")
    assert ended.code == 0, ended
    assert "lost 5 of 5,005 lines" in ended.output
    assert set(unlucky.ledger()) == set(unlucky.expected())


def test_the_newest_export_that_is_published_is_taken(crawl: Callable[..., Crawl]) -> None:
    late = crawl("--movies", "50", "--export-missing-days", "3")
    assert late.scrapy("seed", "movies").code == 0
    assert late.queued() == 50
    never = crawl("--movies", "50", "--export-missing-days", "20", name="never")
    ended = never.scrapy("seed", "movies")
    assert ended.code == 1 and "no export is published" in ended.output, ended


def _nothing_is_leased(crawl: Crawl) -> None:
    """What is not settled is anybody's at once: no heartbeat protects it."""
    assert not crawl.heartbeats()
