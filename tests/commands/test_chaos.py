"""Redis is replaced by an empty, a half, an earlier or a foreign one at random moments: whatever is run then,
the merged file never loses a line that was right, and in the end it has all of them.

What users run is run, in this process; workers and hosts are played by the queue's own methods.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis

from tmdb_scrapy.config import Config
from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.queue import IdQueue, Lease, Settlement, State
from tmdb_scrapy.queue.recorded_settings import OtherSettings, present
from tmdb_scrapy.records import collected
from tmdb_scrapy.records.part import Part, merged_file, parts_directory

Invoke = Callable[..., int]
Ask = Callable[..., Any]
MOVIES = KINDS["movies"]
IDS = range(1, 41)
TRUTH = {n: (State.KEPT, State.KEPT, State.DROPPED, State.MISSING)[n % 4] for n in IDS}
ROUNDS = 30


class Chaos:
    """A user, his workers, a host whose parts he collects, and somebody who exchanges the Redis."""

    def __init__(self, seed: int, invoke: Invoke, ask: Ask, config: Config, plain: redis.Redis) -> None:
        self.chance = random.Random(seed)
        self.invoke, self.ask, self.config, self.plain = invoke, ask, config, plain
        self.export = config.data_dir.parent / "movies.json"
        self.export.write_text("".join(json.dumps({"id": n, "popularity": 1}) + "\n" for n in IDS))
        self.host = config.data_dir.parent / "host"
        self.versions = 0
        self.workers = 0
        self.saved: list[dict[bytes, bytes]] = [{}]
        self.done: list[str] = []

    # What is run

    def seed(self) -> None:
        limit = self.chance.choice([[], ["--limit", str(self.chance.randint(1, 30))]])
        assert self.invoke("seed", "movies", "--file", str(self.export), *limit) == 0

    def crawl(self) -> None:
        self._crawl(self.chance.randint(1, 25), self.config.data_dir)

    def crawl_on_a_host(self) -> None:
        self._crawl(self.chance.randint(1, 25), self.host)

    def merge(self) -> None:
        self.invoke("merge", "movies")

    def collect(self) -> None:
        """The ledger first, then all parts, as `make collect` does."""
        ledger = self.ask(IdQueue.ledger)
        here, there = (parts_directory(each, MOVIES) for each in (self.config.data_dir, self.host))
        here.mkdir(parents=True, exist_ok=True)
        if there.exists():
            for part in there.iterdir():
                shutil.copy2(part, here / part.name)
        collected.remember(self.config.data_dir, MOVIES, ledger)

    def audit(self) -> None:
        self.invoke("audit", "movies")

    def retry(self) -> None:
        self.invoke("retry", "movies", self.chance.choice(["--lost", "--failed", "--missing", "--dropped"]))

    def repair(self) -> None:
        self.invoke("repair", "movies")

    def prune(self) -> None:
        self.invoke("merge", "movies", "--prune")

    # What happens to Redis

    def empty(self) -> None:
        self.saved.append(self._dump())
        self.plain.flushall()

    def half(self) -> None:
        """Some of what it knew is gone, and counts and stream say what they said."""
        ledger = bytearray(self.plain.get("{movies}:ledger") or b"")
        for tmdb_id in self.chance.sample(range(len(ledger)), len(ledger) // 2):
            ledger[tmdb_id] = 0
        if ledger:
            self.plain.set("{movies}:ledger", bytes(ledger))
        if self.chance.random() < 0.5:
            self.plain.delete(self.chance.choice(["{movies}:queue", "{movies}:counts"]))

    def earlier(self) -> None:
        self._restore(self.chance.choice(self.saved))

    def foreign(self) -> None:
        """That of another crawl, of the same movies under another filter, or of a sandbox's."""
        self.saved.append(self._dump())
        self.plain.flushall()
        other = present(self.config, MOVIES) | {
            "MIN_BUDGET": "999999",
            "TMDB_API_URL": "http://127.0.0.1:1/3",
        }

        async def crawl(queue: IdQueue) -> None:
            await queue.seed(self.chance.sample(IDS, 25))
            await queue.settle_under(other)
            leases = await queue.lease("eve", 15) or []
            states = [self.chance.choice([State.DROPPED, State.MISSING, State.KEPT]) for _ in leases]
            await queue.settle([Settlement(*pair) for pair in zip(leases, states, strict=True)])
            await queue.heartbeats.end("eve")

        self.ask(crawl)

    # The rules

    def lines(self) -> dict[int, int]:
        """The merged file: ID and version of each line. Every line is whole, and none comes twice."""
        file = merged_file(self.config.data_dir, MOVIES)
        records = [json.loads(line) for line in file.read_bytes().splitlines()] if file.exists() else []
        found = {record["id"]: record["version"] for record in records}
        assert len(found) == len(records), "an ID has two lines"
        return found

    def strike(self) -> None:
        """One thing more is done, or happens; no line that was right is lost, or becomes an older one."""
        before = self.lines()
        runs = [self.seed, self.crawl, self.crawl_on_a_host, self.merge, self.merge, self.collect]
        runs += [self.audit, self.retry, self.repair, self.prune]
        happens = [self.empty, self.half, self.earlier, self.foreign]
        step = self.chance.choice(self.chance.choice([runs, runs, runs, happens]))
        self.done.append(step.__name__)
        step()
        after = self.lines()
        told = f"after {' '.join(self.done)}"
        assert not before.keys() - after.keys(), f"lost {before.keys() - after.keys()} {told}"
        assert all(after[each] >= version for each, version in before.items()), f"an older line {told}"
        assert all(TRUTH[each] is State.KEPT for each in after), told

    def settle_down(self) -> None:
        """The user's own Redis is back, whatever it knows, and he runs what he is told until all agrees."""
        if self.ask(IdQueue.settings) not in ({}, present(self.config, MOVIES)):
            self.plain.flushall()
        for _ in range(8):
            self.invoke("repair", "movies")
            self.invoke("seed", "movies", "--file", str(self.export))
            self._crawl(len(IDS), self.config.data_dir)
            self.collect()
            self.invoke("merge", "movies")
            if self.invoke("audit", "movies") == 0:
                break
            self.invoke("retry", "movies", "--lost")
        assert self.invoke("audit", "movies") == 0, self.done
        assert self.lines().keys() == {each for each, state in TRUTH.items() if state is State.KEPT}

    def _crawl(self, wanted: int, data_dir: Path) -> None:
        """A worker fetches so many IDs and ends: lines on disk first, then settled."""
        self.workers += 1
        name = f"worker-{self.workers}"
        part = Part(parts_directory(data_dir, MOVIES) / f"{name}.jsonl")

        async def work(queue: IdQueue) -> None:
            await queue.open()
            try:
                await queue.settle_under(present(self.config, MOVIES))
            except OtherSettings:
                return
            leases = await queue.reclaim(name, wanted) + (await queue.lease(name, wanted) or [])
            for lease in leases[:wanted]:
                await queue.settle([self._fetched(part, lease)])
            await queue.heartbeats.end(name)

        try:
            self.ask(work)
        finally:
            part.close()

    def _fetched(self, part: Part, lease: Lease) -> Settlement:
        state = TRUTH[lease.id]
        if state is State.KEPT:
            self.versions += 1
            part.write(lease.id, json.dumps({"id": lease.id, "version": self.versions}).encode() + b"\n")
            part.flush()
            part.sync()
        return Settlement(lease, state, "budget" if state is State.DROPPED else "")

    def _dump(self) -> dict[bytes, bytes]:
        keys = self.plain.keys("{movies}*")
        return {key: value for key in keys if (value := self.plain.dump(key))}

    def _restore(self, saved: dict[bytes, bytes]) -> None:
        self.plain.flushall()
        for key, value in saved.items():
            self.plain.restore(key, 0, value)


@pytest.mark.parametrize("seed", range(6))
def test_no_line_that_was_right_is_ever_lost(
    seed: int, invoke: Invoke, ask: Ask, config: Config, redis_url: str
) -> None:
    with redis.Redis.from_url(redis_url) as plain:
        chaos = Chaos(seed, invoke, ask, config, plain)
        for _ in range(ROUNDS):
            chaos.strike()
        chaos.settle_down()
