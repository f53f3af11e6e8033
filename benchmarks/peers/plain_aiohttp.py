"""The script that most people write: asyncio, aiohttp, json, a pool of workers.

    TMDB_API_KEY=… TMDB_API_URL=… python plain_aiohttp.py ids.txt movies.jsonl 32

No Redis and no retries: an ID whose request fails is lost.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import aiohttp

API_URL = os.environ["TMDB_API_URL"]
PARAMETERS = {
    "language": "en-US",
    "append_to_response": "credits,keywords,similar,recommendations",
    "api_key": os.environ["TMDB_API_KEY"],
}


def wanted(movie: dict[str, Any]) -> bool:
    credits = movie.get("credits") or {}
    return bool(
        (movie.get("budget") or 0) > 1000
        and (movie.get("revenue") or 0) >= 10_000_000
        and movie.get("genres")
        and credits.get("cast")
        and credits.get("crew")
    )


async def work(session: aiohttp.ClientSession, ids: Iterator[str], output: TextIO) -> None:
    for movie_id in ids:
        async with session.get(f"{API_URL}/movie/{movie_id}", params=PARAMETERS) as response:
            if response.status != 200:
                continue
            movie = await response.json()
        if wanted(movie):
            output.write(json.dumps(movie) + "\n")


async def main(ids_file: str, output_file: str, concurrency: int) -> None:
    ids = iter(Path(ids_file).read_text().split())
    with Path(output_file).open("w") as output:  # noqa: ASYNC230
        async with aiohttp.ClientSession() as session:
            await asyncio.gather(*(work(session, ids, output) for _ in range(concurrency)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
