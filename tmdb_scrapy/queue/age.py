"""How old what was collected is."""

from __future__ import annotations

import asyncio
import datetime
import sys
from array import array
from itertools import compress

from tmdb_scrapy.queue.id_queue import FIRST_DAY, IdQueue
from tmdb_scrapy.queue.states import WITH_LINE

_HAS_LINE = bytes(byte in b"".join(WITH_LINE) for byte in range(256))


async def oldest_day(queue: IdQueue) -> datetime.date | None:
    """The day on which the record that was longest not fetched again was; None when there is none. Reads the
    whole ledger. Raises what redis-py raises."""
    async with queue.client.pipeline(transaction=True) as pipe:
        pipe.get(queue.keys.ledger)
        pipe.get(queue.keys.fetched)
        ledger, fetched = await pipe.execute()
    days = await asyncio.to_thread(_lowest, ledger or b"", fetched or b"")
    return FIRST_DAY + datetime.timedelta(days) if days else None


def _lowest(ledger: bytes, fetched: bytes) -> int:
    """The lowest day of an ID with a line; 0 when there is none."""
    days = array("H", fetched[: len(fetched) // 2 * 2])
    if sys.byteorder == "little":
        days.byteswap()
    return min(filter(None, compress(days, ledger.translate(_HAS_LINE))), default=0)
