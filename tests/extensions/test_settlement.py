"""When a batch of outcomes is settled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from tmdb_scrapy.extensions.settlement import FEW, LONGEST_WAIT_S, SettlementExtension


@pytest.mark.parametrize(
    ("finished", "held", "since_s", "waits"),
    [
        (FEW - 1, FEW + 5, 0.5, True),
        (FEW, FEW + 5, 0.5, False),
        (FEW - 1, FEW + 5, LONGEST_WAIT_S, False),
        (3, 3, 0.5, False),  # the last of a crawl
        (0, 5, 0.5, True),
        (0, 0, 0.5, False),
    ],
)
def test_few_outcomes_wait_for_those_that_are_under_way(
    make_crawler: Callable[..., Any], finished: int, held: int, since_s: float, waits: bool
) -> None:
    async def waiting() -> bool:
        crawler = make_crawler(TMDB_API_KEY="0" * 32)
        extension = SettlementExtension.from_crawler(crawler)
        extension._worker = SimpleNamespace(feed=SimpleNamespace(finished=finished, held=held))  # type: ignore[assignment]
        extension._last_at = asyncio.get_running_loop().time() - since_s
        return extension._can_wait()

    assert asyncio.run(waiting()) is waits
