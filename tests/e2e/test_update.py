"""`make update`: days pass, and the merged file is what a full crawl of the day gives."""

from __future__ import annotations

import contextlib
import datetime
import http.server
import json
import os
import random
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from crawl import APPENDED, Crawl, Ended
from waiting import wait_until

UPDATE = [sys.executable, "-m", "scrapy", "update", "movies"]
ABOUT_DAYS = ("seeded_on", "changes_read", "export_compared")


class Life:
    """A user who updates while days pass in the sandbox."""

    def __init__(self, crawl: Crawl) -> None:
        self.crawl, self.day, self.updated_on = crawl, 0, 0
        self._asked_before = 0
        ended = crawl.scrapy("job", "movies")
        assert ended.code == 0, ended.output
        self._asked_before = len(crawl.journal())

    def sleep(self, days: int) -> None:
        """So many days later it is today: whatever is dated is so many days older."""
        self.day += days
        self.crawl.sandbox.set(day=self.day)
        key = "{movies}:about"
        for field in ABOUT_DAYS:
            told = self.crawl.redis.hget(key, field)
            if isinstance(told, bytes):
                date = datetime.date.fromisoformat(told.decode()) - datetime.timedelta(days=days)
                self.crawl.redis.hset(key, field, date.isoformat())
        shutil.rmtree(self.crawl.data / "exports", ignore_errors=True)

    def update(self, **settings: str) -> Ended:
        return self.crawl.scrapy("update", "movies", **settings)

    def assert_fresh(self) -> None:
        """The merged file is that of a full crawl of this day, and no ID was asked for without cause."""
        catalogue = self.crawl.sandbox.catalogue()
        now = catalogue.at(self.day)
        kept = {number for number, end in self.crawl.sandbox.expected("movies").items() if end == "kept"}
        lines = self.crawl.merged.read_bytes().splitlines()
        assert len(lines) == len(kept)
        assert set(lines) == {now.body("movies", number, APPENDED["movies"]) for number in kept}
        causes = set(catalogue.at(self.updated_on).ids("movies")) ^ set(now.ids("movies"))
        for day in range(self.updated_on - 1, self.day + 1):
            causes |= set(catalogue.at(day).changed("movies"))
        journal = self.crawl.journal()
        asked = {entry.id for entry in journal[self._asked_before :]}
        assert asked <= causes, f"without cause: {sorted(asked - causes)[:5]}"
        self.updated_on, self._asked_before = self.day, len(journal)


class Hook(http.server.BaseHTTPRequestHandler):
    """A webhook that writes down what it is told."""

    told: list[dict[str, Any]]

    def do_POST(self) -> None:
        self.told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hook() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Its URL, and what it was told."""
    told: list[dict[str, Any]] = []
    handler = type("Handler", (Hook,), {"told": told})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/hush-token", told
        server.shutdown()
        thread.join()


def test_an_update_brings_the_difference_and_a_webhook_hears_of_it(
    crawl: Callable[..., Crawl], hook: tuple[str, list[dict[str, Any]]]
) -> None:
    url, told = hook
    life = Life(crawl("--movies", "600"))
    life.sleep(1)
    ended = life.update(NOTIFY_URL=url)
    assert ended.code == 0 and "movies are up to date" in ended.output, ended
    life.assert_fresh()
    assert not life.crawl.parts(), "parts that are wholly merged stay"
    assert "report.html" in ended.output, ended
    (notice,) = told
    assert notice["outcome"] == "updated" and notice["kind"] == "movies"
    assert notice["text"] == notice["content"] and notice["text"] in ended.output
    changes = (life.crawl.data / "movies.changes.jsonl").read_text().splitlines()
    assert notice["added"] + notice["updated"] + notice["removed"] == len(changes) > 0
    updated_at = life.crawl.redis.hget("{movies}:about", "updated_at")
    assert updated_at

    failed = life.update(NOTIFY_URL=url, TMDB_API_URL=f"{life.crawl.sandbox.url}/4")
    assert failed.code != 0, failed
    assert told[-1]["outcome"] == "failed" and "TMDB_API_URL" in told[-1]["text"], told[-1]
    assert life.crawl.redis.hget("{movies}:about", "updated_at") == updated_at, (
        "one that failed does not count"
    )
    silent = life.update(NOTIFY_URL=f"{life.crawl.sandbox.url}/hush-token")
    assert silent.code == 0 and "NOTIFY_URL (at 127.0.0.1) was not told" in silent.output
    assert "hush-token" not in ended.output + failed.output + silent.output


def test_of_two_updates_the_second_says_who_runs_and_a_killed_one_holds_nobody_up(
    crawl: Callable[..., Crawl],
) -> None:
    life = Life(crawl("--movies", "600", "--latency-ms", "20", RATE_LIMIT="0"))
    life.sleep(2)
    first = life.crawl.start_command(UPDATE, RATE_LIMIT="20")
    wait_until(lambda: life.crawl.heartbeats(), "the first update crawls")
    second = life.update()
    assert second.code == 1, second
    assert f"pid {first.process.pid} on " in second.output and "since 20" in second.output, second
    first.kill()
    wait_until(lambda: not first.alive, "it is gone")
    third = life.update()
    assert third.code == 0, third
    life.assert_fresh()


def test_an_interrupted_update_goes_on_with_the_same_command(crawl: Callable[..., Crawl]) -> None:
    life = Life(crawl("--movies", "600", RATE_LIMIT="0"))
    life.sleep(1)
    update = life.crawl.start_command(UPDATE, RATE_LIMIT="20")
    wait_until(lambda: life.crawl.heartbeats(), "it crawls")
    update.send(signal.SIGINT)
    assert update.wait() == 130, update.output
    assert life.update().code == 0
    life.assert_fresh()


@pytest.mark.slow
def test_whatever_dies_on_whatever_day_an_update_gives_what_a_full_crawl_gives(
    crawl: Callable[..., Crawl], chance_for: Callable[[str], random.Random]
) -> None:
    chance = chance_for("update")
    life = Life(crawl("--movies", "1500", RATE_LIMIT="0"))
    for days in (1, chance.choice([2, 5]), chance.choice([15, 17])):
        life.sleep(days)
        for _ in range(chance.randrange(1, 3)):
            update = life.crawl.start_command(UPDATE, RATE_LIMIT="60")
            _spoil(life, update, chance)
        ended = life.update()
        assert ended.code == 0, ended.output
        life.assert_fresh()


def _spoil(life: Life, update: Any, chance: random.Random) -> None:
    """End an update at some moment, and more with it."""
    moment = chance.choice(["begun", "queued", "crawling", "late"])
    queued = life.crawl.redis.xlen
    if moment == "begun":
        threading.Event().wait(chance.random() * 1.5)
    elif moment == "queued":
        wait_until(lambda: bool(queued("{movies}:queue")) or not update.alive, "IDs are queued")
    else:
        wait_until(lambda: bool(life.crawl.heartbeats()) or not update.alive, "it crawls")
        threading.Event().wait(chance.random() * (1 if moment == "crawling" else 3))
    update.kill()
    for worker in life.crawl.heartbeats().values():
        if chance.random() < 0.5:
            _kill(json.loads(worker)["pid"])
    if chance.random() < 0.4:
        life.crawl.redis_server.stop()
        life.crawl.redis_server.start()


def _kill(pid: int) -> None:

    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
