"""Programs that do less than a crawl, to tell what of its cost is the machine's and what is ours.

`python -m benchmarks.floors MODE API_URL ids.txt NUMBER SECONDS` runs one of them:

- `timer` wakes NUMBER times a second and does nothing: the price of waking up.
- `connections` asks NUMBER times a second over this project's own connections: no Scrapy, parsing, Redis.
- `aiohttp` asks as often with aiohttp's client and reads the answer with `json`: a paced script.
- `slots` asks for all IDs over this project's own connections, NUMBER at a time, as fast as answers come.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import uvloop

from tmdb_scrapy.downloader.direct import DirectConnections

PARAMETERS = {
    "language": "en-US",
    "append_to_response": "credits,keywords,similar,recommendations",
    "api_key": "0123456789abcdef0123456789abcdef",
}
QUERY = urlencode(PARAMETERS, safe=",")
LARGEST_BYTES = 64 << 20

Ask = Callable[[str], Awaitable[object]]
"""Does what one movie costs; takes its URL."""


async def _nothing(url: str) -> None: ...


def _over_connections() -> Ask:
    headers = {"Accept": "application/json", "Accept-Encoding": "gzip"}
    connections = DirectConnections(headers, LARGEST_BYTES)
    return lambda url: connections.send("GET", url, {})


async def _paced(ask: Ask, urls: list[str], per_s: float, seconds: float) -> None:
    """Ask `per_s` times a second, each time without waiting for the answers before."""
    loop = asyncio.get_running_loop()
    asked: set[asyncio.Future[object]] = set()
    began = loop.time()
    for number, url in enumerate(itertools.islice(itertools.cycle(urls), int(per_s * seconds))):
        await asyncio.sleep(began + number / per_s - loop.time())
        task = asyncio.ensure_future(ask(url))
        asked.add(task)
        task.add_done_callback(asked.discard)
    await asyncio.gather(*asked)


async def _in_slots(ask: Ask, urls: list[str], slots: int) -> None:
    """Ask for each URL once, `slots` at a time."""
    waiting = iter(urls)

    async def one_after_another() -> None:
        for url in waiting:
            await ask(url)

    await asyncio.gather(*(one_after_another() for _ in range(slots)))


async def _run(mode: str, urls: list[str], number: int, seconds: float) -> None:
    if mode == "timer":
        await _paced(_nothing, urls, number, seconds)
    elif mode == "connections":
        await _paced(_over_connections(), urls, number, seconds)
    elif mode == "slots":
        await _in_slots(_over_connections(), urls, number)
    else:
        async with aiohttp.ClientSession() as session:

            async def read(url: str) -> None:
                async with session.get(url) as response:
                    json.loads(await response.read())

            await _paced(read, urls, number, seconds)


def main() -> None:
    mode, api_url, ids_file, number, seconds = sys.argv[1:]
    ids = Path(ids_file).read_text(encoding="ascii").split()
    urls = [f"{api_url}/movie/{tmdb_id}?{QUERY}" for tmdb_id in ids]
    uvloop.run(_run(mode, urls, int(number), float(seconds)))


if __name__ == "__main__":
    main()
