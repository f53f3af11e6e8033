"""The one door to Redis: how every part of the program connects."""

from __future__ import annotations

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    MaxConnectionsError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from tmdb_scrapy.config import Config, without_secrets
from tmdb_scrapy.open_files import ADVICE, is_out_of_files
from tmdb_scrapy.own_redis import OwnPassword, means_ours

SOCKET_TIMEOUT_S = 10.0

PASSING_FAULTS: tuple[type[Exception], ...] = (
    RedisConnectionError,
    RedisTimeoutError,
    BusyLoadingError,
    OutOfMemoryError,
    ReadOnlyError,
    MaxConnectionsError,
    OSError,
)
"""Faults of Redis that end by themselves or by an operator's hand: wait and try again."""

_PASSING_REPLIES = (
    "MISCONF",
    "READONLY",
    "OOM",
    "LOADING",
    "MASTERDOWN",
    "CLUSTERDOWN",
    "TRYAGAIN",
    "BUSY ",
    "NOREPLICAS",
)


def connect(config: Config) -> redis.asyncio.Redis:
    """A client for `config.redis_url` that answers bytes. Opens no connection yet.

    It does not retry by itself: whoever calls knows whether waiting is right. The password of a Redis that
    this program started is found by itself.
    """
    url = str(config.redis_url)
    client: redis.asyncio.Redis = redis.asyncio.Redis.from_url(
        url,
        socket_timeout=SOCKET_TIMEOUT_S,
        socket_connect_timeout=SOCKET_TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
        credential_provider=OwnPassword(url) if means_ours(url) else None,
    )
    return client


def is_passing(error: BaseException) -> bool:
    """Whether `error` is a fault of Redis that may end by itself (gone, loading, out of memory, …)."""
    if isinstance(error, AuthenticationError):
        return False
    if isinstance(error, PASSING_FAULTS):
        return True
    # A script's error hides its cause in the text: redis.call() inside Lua prefixes or appends it.
    return isinstance(error, ResponseError) and any(reply in str(error) for reply in _PASSING_REPLIES)


def is_absent(error: BaseException) -> bool:
    """Whether `error` says that nobody answers, rather than that somebody refuses."""
    absent = (RedisConnectionError, RedisTimeoutError, OSError)
    return isinstance(error, absent) and not isinstance(error, AuthenticationError)


def explain(error: BaseException, config: Config) -> str:
    """One sentence for the user: what failed at which Redis, and what to do next."""
    where = without_secrets(config.redis_url)
    if isinstance(error, AuthenticationError) or "NOAUTH" in str(error) or "WRONGPASS" in str(error):
        ours = means_ours(str(config.redis_url))
        advice = ", or start yours anew (make redis-stop, make redis)" if ours else ""
        return f"Redis at {where} refused the password: check REDIS_URL{advice}"
    if is_out_of_files(error):
        return f"no connection to Redis at {where} can be opened: {ADVICE}"
    if "OOM" in str(error) or isinstance(error, OutOfMemoryError):
        return f"Redis at {where} is out of memory: raise its maxmemory (noeviction must stay)"
    if "MISCONF" in str(error):
        return f"Redis at {where} cannot write to its disk: free some space there"
    if "READONLY" in str(error) or isinstance(error, ReadOnlyError):
        return f"Redis at {where} is read-only (a replica?): point REDIS_URL at the primary"
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return (
            f"the certificate of Redis at {where} is not trusted: give its authority in REDIS_URL "
            "(?ssl_ca_certs=/path/to/ca.pem)"
        )
    if is_absent(error):
        return f"no Redis answers at {where}: start one with `make redis` or correct REDIS_URL"
    return f"Redis at {where} answered: {error}"


__all__ = ["RedisError", "connect", "explain", "is_passing"]
