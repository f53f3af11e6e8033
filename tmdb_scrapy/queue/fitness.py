"""Whether a Redis will keep what it is given: looked at once, when it is connected to.

What would lose IDs is refused. What costs no ID, or cannot be asked, is remarked on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import redis.asyncio
from redis.exceptions import NoPermissionError, ResponseError

OLDEST = (6, 2)
"""The scripts and commands used here came with Redis 6.2."""


class UnfitRedis(Exception):
    """This Redis would lose IDs, or does not know the commands used here; the text says what to do."""


async def examine(client: redis.asyncio.Redis) -> list[str]:
    """Remarks on the Redis that is connected to, one sentence each.

    Raises `UnfitRedis`, and what redis-py raises.
    """
    told = await _asked(client.info())
    if not told:
        return ["Redis refuses INFO, so whether it evicts keys, and whether it persists, cannot be seen"]
    _refuse_old(str(told.get("redis_version", "")))
    policy = str(told.get("maxmemory_policy", ""))
    if policy.startswith("allkeys"):
        raise UnfitRedis(
            f"Redis may evict any key (maxmemory-policy {policy}), the ledger too, and IDs would be lost: "
            "set its maxmemory-policy to noeviction, or point REDIS_URL at another"
        )
    remarks = []
    if policy.startswith("volatile"):
        remarks.append(
            f"Redis may evict heartbeats (maxmemory-policy {policy}): then IDs are fetched twice, none is "
            "lost; noeviction is better"
        )
    if not told.get("aof_enabled"):
        remarks += await _about_snapshots(client)
    return remarks


async def _about_snapshots(client: redis.asyncio.Redis) -> list[str]:
    """What to say of a Redis without an append-only file."""
    saving = await _asked(client.config_get("save"))
    if saving is None:
        return ["Redis refuses CONFIG GET, so whether it persists cannot be seen: it has no append-only file"]
    if saving.get("save"):
        return []
    return [
        "Redis persists nothing: when it ends, what was fetched is not known any more (set appendonly yes)"
    ]


async def _asked(question: Any) -> Mapping[str, Any] | None:
    """The answer, or None when Redis does not allow the question."""
    try:
        answer: Mapping[str, Any] = await question
    except NoPermissionError:
        return None
    except ResponseError as error:
        if "unknown command" not in str(error):
            raise
        return None  # renamed away
    return answer


def _refuse_old(version: str) -> None:
    found = re.match(r"(\d+)\.(\d+)", version)
    if found and (int(found[1]), int(found[2])) < OLDEST:
        raise UnfitRedis(
            f"Redis is of version {version}, and {spoken(OLDEST)} or later is needed: update it, or point "
            "REDIS_URL at another"
        )


def spoken(version: tuple[int, int]) -> str:
    """`6.2`."""
    return ".".join(map(str, version))
