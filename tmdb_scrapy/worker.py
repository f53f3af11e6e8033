"""A worker: what one spider process has, in one place for the spider, the extensions and the pipelines."""

from __future__ import annotations

import logging
import os
import re
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import redis.asyncio
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured

from tmdb_scrapy.config import Config
from tmdb_scrapy.kinds import Kind
from tmdb_scrapy.pacing.pacing import Pacing
from tmdb_scrapy.queue import IdQueue, Traffic, connect
from tmdb_scrapy.queue.feed import Feed
from tmdb_scrapy.queue.wait import WaitForRedis
from tmdb_scrapy.records.part import Part, parts_directory

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Worker:
    """One process that fetches IDs of one kind. It is named once: in Redis, in its part and in its log."""

    name: str
    """Unique: host, process ID and a random piece."""
    kind: Kind
    config: Config
    client: redis.asyncio.Redis = field(repr=False)
    queue: IdQueue
    wait_for_redis: WaitForRedis
    feed: Feed
    pacing: Pacing
    part: Part
    close: Callable[[str], None] = field(repr=False)
    """Ends the crawl, for the reason that is given. Set by the spider, who knows the engine."""
    close_message: str = ""
    """Why the crawl was given up, for the last line that the user sees."""
    written: set[int] = field(default_factory=set, repr=False)
    """IDs whose line is in the part and whose outcome is not known yet."""

    @classmethod
    def of(
        cls, kind: Kind, crawler: Crawler, is_idle: Callable[[], bool], close: Callable[[str], None]
    ) -> Worker:
        """The worker of a crawler that is about to crawl. `is_idle` tells whether its engine has nothing of
        ours in hand."""
        settings = crawler.settings
        config: Config = settings["TMDB_CONFIG"]
        client = connect(config)
        name, queue, wait_for_redis = _name(), IdQueue(client, kind), WaitForRedis(config)
        return cls(
            name=name,
            kind=kind,
            config=config,
            client=client,
            queue=queue,
            wait_for_redis=wait_for_redis,
            feed=Feed(queue, name, wait_for_redis, settings.getint("CONCURRENT_REQUESTS"), is_idle),
            pacing=Pacing(config, settings.getfloat("DOWNLOAD_DELAY")),
            part=Part(parts_directory(config.data_dir, kind) / f"{name}.jsonl"),
            close=close,
        )

    @property
    def traffic(self) -> Traffic:
        """What this worker has exchanged with the API."""
        pacing = self.pacing
        return Traffic(self.name, pacing.answers, pacing.throttled, round(pacing.durations.total_s * 1000))

    def take_written(self, tmdb_id: int) -> bool:
        """Whether a line of this ID was written since this was last asked."""
        if tmdb_id in self.written:
            self.written.remove(tmdb_id)
            return True
        return False

    def stop(self, reason: str, message: str) -> None:
        """End this worker's crawl early; its unsettled IDs go back to the queue."""
        if self.close_message:
            return
        self.close_message = message
        logger.error("%s. No ID is lost: those not settled stay queued", message)
        self.feed.stop()
        self.pacing.close()
        self.close(reason)


def worker_of(crawler: Crawler) -> Worker:
    """The worker of a crawler. Raises `NotConfigured` for a spider that leases nothing, as that of
    `scrapy shell`."""
    worker = getattr(crawler.spider, "worker", None)
    if not isinstance(worker, Worker):
        raise NotConfigured("this spider leases nothing")
    return worker


def pacing_of(crawler: Crawler) -> Pacing:
    """The pacing of a crawler's worker; one of its own for a crawler without one, as that of `scrapy shell`.

    Raises `ConfigError`.
    """
    try:
        return worker_of(crawler).pacing
    except NotConfigured:
        settings = crawler.settings
        return Pacing(Config.from_settings(settings), settings.getfloat("DOWNLOAD_DELAY"))


def machine() -> str:
    """What tells this machine from others: workers of the same one share its address, and its limits.

    By the kernel's boot ID and network namespace, since clones of one image have one host name.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}-{Path('/proc/self/ns/net').stat().st_ino}"
    except OSError:
        return socket.gethostname()


def _name() -> str:
    host = re.sub(r"[^\w.-]", "_", socket.gethostname())
    return f"{host}-{os.getpid()}-{secrets.token_hex(3)}"
