"""What the scenarios share: options, cores, servers, a Redis, places to write."""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.authority import Authority
from benchmarks.bodies import Mix, catalogue_size
from benchmarks.crawlers import CONCURRENCY, Crawl, Crawler, Task, crawl
from benchmarks.machine import Cores, on_core
from benchmarks.servers import ApiServer, NginxServer, SandboxServer, has_nginx, roomy_directory
from tmdb_scrapy.local.redis_server import RedisServer

WIRE_BYTES = 9_000
"""Room that a gzipped body takes at most, on average."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured. The defaults fit the whole run into a quarter of an hour on two cores."""

    runs: int = 3
    """How often crawlers take turns; far-wire, with a minute a run, at most three times."""
    pairs: int = 5
    """How often two ways are compared whose times a shared disk or machine moves: near and far Redis, merge
    and cat."""
    movies: int = 20_000
    """In a crawl at full speed."""
    far_movies: int = 20_000
    redis_movies: int = 40_000
    """In a crawl beside which Redis is far: some six seconds, of which a ramp of 50 ms is 1 %."""
    paced_s: int = 20
    ids: int = 1_238_234
    """To seed: as many as TMDb's export of 31 August 2026 had movies."""
    merge_lines: int = 200_000
    full_merge_lines: int = 1_000_000
    scale_processes: int = 1
    table_movies: int = 1_000_000
    workers: int = 1_000
    fleet_s: int = 30


class Workbench:
    """Everything a scenario needs; a context manager that ends what it started.

    `server_kind` is auto, nginx or sandbox. `directory` is on the disk that is to be measured; None makes a
    temporary one.
    """

    place: Path
    """Where everything is written."""
    authority: Authority
    redis: RedisServer

    def __init__(self, sizes: Sizes, server_kind: str = "auto", directory: Path | None = None) -> None:
        self.sizes = sizes
        self.cores = Cores.available()
        self._server_kind = server_kind
        self._directory = directory
        self._resources = contextlib.ExitStack()
        self._servers: dict[tuple[str, int], ApiServer] = {}
        self._numbers = itertools.count()

    def __enter__(self) -> Self:
        temporary = tempfile.TemporaryDirectory(prefix="benchmarks-", dir=self._directory)
        self.place = Path(self._resources.enter_context(temporary))
        self.authority = Authority.make(self.place)
        self.redis = self._started_redis()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._resources.close()

    def _started_redis(self) -> RedisServer:
        with on_core(self.cores.redis):
            server = RedisServer.on_free_port(self.place / "redis")
        self._resources.callback(server.stop)
        return server

    @property
    def redis_url(self) -> str:
        return str(self.redis.url)

    @property
    def environment(self) -> dict[str, str]:
        """Of every process: nothing of the user's own configuration reaches them."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "PYTHONPATH") if name in os.environ}
        return {**kept, "HOME": str(self.place), **self.authority.environment()}

    def server(self, mix: Mix, movies: int) -> ApiServer:
        """A server that is as fast as this machine has it; started once for each mix."""
        key = (mix.name, movies)
        if key not in self._servers:
            self._say(f"preparing {movies:,} bodies ({mix.name})")
            self._servers[key] = self._resources.enter_context(self._new_server(mix, movies))
        return self._servers[key]

    def _new_server(self, mix: Mix, movies: int) -> ApiServer:
        if self._server_kind == "nginx" or (self._server_kind == "auto" and has_nginx()):
            where = roomy_directory(movies * WIRE_BYTES) or self.place
            root = self._resources.enter_context(tempfile.TemporaryDirectory(prefix="benchmarks-", dir=where))
            return NginxServer(Path(root), mix, movies, self.authority, self.cores.server)
        return self.sandbox(mix, movies)

    def sandbox(self, mix: Mix, movies: int, *options: str) -> SandboxServer:
        """The stand-in TMDb with `movies` that exist; not started yet."""
        ids = [number for number, _ in mix.movies(movies)]
        catalogue = catalogue_size(movies)
        return SandboxServer(mix, ids, catalogue, self.authority, self.cores.server, *options)

    def whole_sandbox(self, mix: Mix, movies: int, *options: str) -> SandboxServer:
        """The stand-in TMDb with all that an export of `movies` lists; not started yet."""
        return SandboxServer(mix, [], movies, self.authority, self.cores.server, *options)

    def new_directory(self, name: str) -> Path:
        """A path for one run, not made yet."""
        return self.place / f"{next(self._numbers)}-{name.split(',')[0].replace(' ', '-')}"

    def task(
        self, server: ApiServer, movies: int, threads: int = CONCURRENCY, redis_url: str = "", name: str = ""
    ) -> Task:
        """The first `movies` of a server as a task."""
        return Task(
            server, server.ids[:movies], self.new_directory(name), redis_url or self.redis_url,
            self.environment, threads,
        )  # fmt: skip

    def crawl(self, crawler: Crawler, task: Task, cores: Sequence[int] = ()) -> Crawl:
        """Run a crawler, on the crawlers' core unless told otherwise."""
        done = crawl(crawler, task, cores or [self.cores.crawler])
        self._say(
            f"{crawler.name:30} {done.per_s:8,.0f}/s  {done.cpu_ms:6.3f} ms CPU a movie  "
            f"start {done.startup_s:5.2f} s  whole {done.whole_s:6.2f} s  {done.peak_bytes / 1e6:4.0f} MB  "
            f"server busy {done.server_busy:4.0%}"
        )
        return done

    def _say(self, text: str) -> None:
        print(f"  {text}", file=sys.stderr, flush=True)
