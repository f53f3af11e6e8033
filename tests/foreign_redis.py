"""A Redis as somebody runs one himself: without a password, and with every command."""

from __future__ import annotations

from dataclasses import dataclass

from tmdb_scrapy.local.redis_server import RedisServer
from tmdb_scrapy.own_redis import PASSWORD
from tmdb_scrapy.values import Secret


@dataclass(frozen=True)
class ForeignRedis(RedisServer):
    """Started and stopped as our own; `options` are lines of its configuration."""

    options: tuple[str, ...] = ()

    @property
    def url(self) -> Secret:
        return Secret(f"redis://127.0.0.1:{self.port}/0")

    def start(self) -> bool:
        started = super().start()
        (self.directory / PASSWORD).unlink(missing_ok=True)
        return started

    def _rights(self, password: str) -> list[str]:
        return list(self.options)
