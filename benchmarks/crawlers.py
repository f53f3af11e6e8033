"""The crawlers that are compared: what each is started with, and the judgement of what it wrote."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import secrets
import shutil
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import redis

from benchmarks.processes import Measured, Ran
from benchmarks.servers import Answered, ApiServer
from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.queue import IdQueue

CONCURRENCY = 32
REQUESTS_THREADS = 20
PEERS = Path(__file__).parent / "peers"
TIMEOUT_S = 600.0
UNPACED = "1000000"


class WrongResult(RuntimeError):
    """A crawler asked for or wrote something else than it had to: its figures would mean nothing."""


@dataclass(frozen=True, slots=True)
class Task:
    """What a crawler has to do, and where."""

    server: ApiServer
    ids: list[int]
    directory: Path
    """Of this run alone."""
    redis_url: str
    environment: Mapping[str, str]
    """PATH, trust and the like; no key."""
    threads: int = CONCURRENCY

    def settings(self, **more: str) -> dict[str, str]:
        """The environment of a crawler."""
        return {
            **self.environment,
            "TMDB_API_KEY": secrets.token_hex(16),
            "TMDB_API_URL": self.server.api_url,
            "REDIS_URL": self.redis_url,
            "THREADS": str(self.threads),
            **more,
        }

    def ids_file(self) -> Path:
        path = self.directory / "ids.txt"
        path.write_text("\n".join(map(str, self.ids)))
        return path


@dataclass(frozen=True, slots=True)
class Crawler:
    """One contender. `share`: how much of the others' work it gets, so that slow ones do not take minutes."""

    name: str
    prepare: Callable[[Task], None]
    start: Callable[[Task, Sequence[int]], list[Measured]]
    written: Callable[[Task], list[Path]] | None
    """The files with its lines; None for one that only asks."""
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Crawl:
    """A finished crawl by two clocks: the server's (requests) and ours (processes)."""

    processes: list[Ran]
    requests: int
    first_arrived: float
    last_ended: float
    server_cpu_s: float
    answer_s: float
    """How long the server took to answer, on average: any latency it was told of, and its own work."""
    gap_s: float
    """How long a slot was without a request between two of them, on average (see `gap_s`)."""

    @property
    def per_s(self) -> float:
        """Requests a second between the first and the last, by the server's clock."""
        return self.requests / (self.last_ended - self.first_arrived)

    @property
    def startup_s(self) -> float:
        """From the start of the (first) process to the first request."""
        return self.first_arrived - self.processes[0].started_at

    @property
    def whole_s(self) -> float:
        """From the start of the first process to the end of the last."""
        return max(ran.ended_at for ran in self.processes) - self.processes[0].started_at

    @property
    def cpu_ms(self) -> float:
        """Processor time of the crawler for one movie, in milliseconds, start-up and end left aside."""
        used_s = sum(ran.cpu_between(self.first_arrived, self.last_ended) for ran in self.processes)
        return used_s / self.requests * 1000

    @property
    def server_busy(self) -> float:
        """The share of the time in which the server worked. Near 1, the server is what is measured."""
        return self.server_cpu_s / (self.last_ended - self.first_arrived)

    @property
    def peak_bytes(self) -> int:
        return max(ran.peak_bytes for ran in self.processes)


def crawl(crawler: Crawler, task: Task, cores: Sequence[int]) -> Crawl:
    """Run `crawler` to its end on these cores and check what it did. Raises `WrongResult`."""
    task.directory.mkdir(parents=True)
    crawler.prepare(task)
    cpu_before_s = task.server.cpu_s()
    processes = crawler.start(task, cores)
    try:
        ran = [process.wait(TIMEOUT_S) for process in processes]
    finally:
        for process in processes:
            process.kill()
    answered = task.server.answered(ran[0].started_at)
    _judge(crawler, task, answered)
    shutil.rmtree(task.directory)
    return Crawl(
        processes=ran,
        requests=len(answered),
        first_arrived=min(request.arrived for request in answered),
        last_ended=max(request.ended for request in answered),
        server_cpu_s=task.server.cpu_s() - cpu_before_s,
        answer_s=statistics.fmean(request.ended - request.arrived for request in answered),
        gap_s=gap_s(answered, task.threads),
    )


def gap_s(answered: Sequence[Answered], slots: int) -> float:
    """The mean time from an answer's last byte at the server to the arrival of the next request in its slot.

    A tenth of the time at either end is left out: there slots are empty for other reasons.
    """
    first = min(request.arrived for request in answered)
    last = max(request.ended for request in answered)
    start, end = first + (last - first) / 10, last - (last - first) / 10
    waited_s = sum(max(0.0, min(one.ended, end) - max(one.arrived, start)) for one in answered)
    arrived = sum(start <= request.arrived < end for request in answered)
    return (slots * (end - start) - waited_s) / max(arrived, 1)


def _judge(crawler: Crawler, task: Task, answered: list[Answered]) -> None:
    if len(answered) != len(task.ids):
        raise WrongResult(f"{crawler.name}: {len(task.ids)} movies, but {len(answered)} requests")
    if crawler.written is None:
        return
    lines = itertools.chain.from_iterable(path.open("rb") for path in crawler.written(task))
    written = sorted(json.loads(line)["id"] for line in lines)
    kept = sorted(task.server.mix.kept(task.ids))
    if written != kept:
        raise WrongResult(f"{crawler.name}: wrote {len(written)} movies of {len(kept)} that have to be kept")


def _seed(task: Task) -> None:
    async def seed() -> None:
        client = redis.asyncio.Redis.from_url(task.redis_url)
        await client.flushall()
        await IdQueue(client, KINDS["movies"]).seed(task.ids)
        await client.aclose()

    asyncio.run(seed())


def start_ours(
    task: Task, cores: Sequence[int], wrapper: Sequence[str] = (), **settings: str
) -> list[Measured]:
    """One `scrapy crawl movies` for each of `cores`, run by the command `wrapper` (a profiler) if given."""
    environment = task.settings(
        SCRAPY_SETTINGS_MODULE="tmdb_scrapy.settings", DATA_DIR=str(task.directory / "data"),
        PROCESSES=str(len(cores)), **({"RATE_LIMIT": UNPACED} | settings),
    )  # fmt: skip
    command = [*wrapper, sys.executable, "-m", "scrapy", "crawl", "movies"]
    return [
        Measured(command, task.directory / f"worker{number}", environment, core)
        for number, core in enumerate(cores)
    ]


def ours(name: str = "tmdb-scrapy", share: float = 1.0, **settings: str) -> Crawler:
    """This project, with `.env` settings over those of the benchmark."""
    return Crawler(
        name,
        _seed,
        lambda task, cores: start_ours(task, cores, **settings),
        lambda task: list((task.directory / "data/movies/parts").glob("*.jsonl")),
        share,
    )


def _fill_list(task: Task) -> None:
    shutil.copytree(PEERS / "scrapy_redis_stock", task.directory / "project")
    with redis.Redis.from_url(task.redis_url) as client:
        client.flushall()
        client.rpush("movies:start_urls", *task.ids)


def _start_stock(task: Task, cores: Sequence[int], *options: str) -> list[Measured]:
    output = task.directory / "movies.jsonl"
    command = [sys.executable, "-m", "scrapy", "crawl", "movies", "-O", str(output), *options]
    return [Measured(command, task.directory / "project", task.settings(), cores[0])]


def _start_script(name: str, concurrency: int) -> Callable[[Task, Sequence[int]], list[Measured]]:
    def start(task: Task, cores: Sequence[int]) -> list[Measured]:
        output = task.directory / "movies.jsonl"
        command = [sys.executable, str(PEERS / name), str(task.ids_file()), str(output), str(concurrency)]
        return [Measured(command, task.directory / "run", task.settings(), cores[0])]

    return start


def start_floor(task: Task, core: int, mode: str, number: int, seconds: float = 0.0) -> Measured:
    """One of the programs of `benchmarks.floors`."""
    command = [
        sys.executable, "-m", "benchmarks.floors", mode, task.server.api_url, str(task.ids_file()),
        str(number), str(seconds),
    ]  # fmt: skip
    paths = [str(Path(__file__).parents[1]), *filter(None, [task.environment.get("PYTHONPATH")])]
    environment = task.settings(PYTHONPATH=os.pathsep.join(paths))
    return Measured(command, task.directory / "run", environment, core)


def _output(task: Task) -> list[Path]:
    return [task.directory / "movies.jsonl"]


def _nothing(task: Task) -> None: ...


BARE = Crawler(
    "bare connections",
    _nothing,
    lambda task, cores: [start_floor(task, cores[0], "slots", task.threads)],
    None,
)
"""Asks over this project's connections and does nothing else: what is lost by then is not the crawler's."""
PLAIN_AIOHTTP = Crawler("aiohttp script", _nothing, _start_script("plain_aiohttp.py", CONCURRENCY), _output)
PLAIN_PYREQWEST = Crawler(
    "pyreqwest script", _nothing, _start_script("plain_pyreqwest.py", CONCURRENCY), _output
)
SCRAPYS_ENGINE = ours("tmdb-scrapy, TMDB_ENGINE=scrapy", 0.5, TMDB_ENGINE="scrapy")
REQUESTS = Crawler(
    "requests in threads", _nothing, _start_script("requests_threads.py", REQUESTS_THREADS), _output, 0.2
)
STOCK = Crawler("scrapy-redis, stock", _fill_list, _start_stock, _output, 0.1)
STOCK_QUIET = Crawler(
    "scrapy-redis, LOG_LEVEL=INFO",
    _fill_list,
    lambda task, cores: _start_stock(task, cores, "--loglevel=INFO"),
    _output,
    0.1,
)
