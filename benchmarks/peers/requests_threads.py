"""The other script that most people write: requests in threads.

TMDB_API_KEY=… TMDB_API_URL=… python requests_threads.py ids.txt movies.jsonl 20
"""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter

API_URL = os.environ["TMDB_API_URL"]
PARAMETERS = {
    "language": "en-US",
    "append_to_response": "credits,keywords,similar,recommendations",
    "api_key": os.environ["TMDB_API_KEY"],
}

session = requests.Session()


def wanted(movie: dict[str, Any]) -> bool:
    credits = movie.get("credits") or {}
    return bool(
        (movie.get("budget") or 0) > 1000
        and (movie.get("revenue") or 0) >= 10_000_000
        and movie.get("genres")
        and credits.get("cast")
        and credits.get("crew")
    )


def fetch(movie_id: str) -> dict[str, Any] | None:
    response = session.get(f"{API_URL}/movie/{movie_id}", params=PARAMETERS, timeout=30)
    if response.status_code != 200:
        return None
    movie: dict[str, Any] = response.json()
    return movie if wanted(movie) else None


def main(ids_file: str, output_file: str, threads: int) -> None:
    # requests keeps ten connections by default; more threads than that would open new ones all the time.
    session.mount("https://", HTTPAdapter(pool_maxsize=threads))
    ids = Path(ids_file).read_text().split()
    with Path(output_file).open("w") as output, ThreadPoolExecutor(threads) as pool:
        for movie in pool.map(fetch, ids):
            if movie:
                output.write(json.dumps(movie) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
