"""Tables as most people make them: pandas reads JSON lines in chunks, each list becomes a frame.

python -m benchmarks.peers.tables_pandas MOVIES.jsonl DIRECTORY
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pandas as pd

CHUNK_ROWS = 5_000
LISTS = {
    "genres": ("genres",),
    "keywords": ("keywords", "keywords"),
    "production_companies": ("production_companies",),
    "production_countries": ("production_countries",),
    "spoken_languages": ("spoken_languages",),
    "cast": ("credits", "cast"),
    "crew": ("credits", "crew"),
    "similar": ("similar", "results"),
    "recommendations": ("recommendations", "results"),
}
SCALARS = [
    "id", "imdb_id", "title", "original_title", "original_language", "release_date", "status", "runtime",
    "budget", "revenue", "popularity", "vote_average", "vote_count", "adult", "video", "overview", "tagline",
    "homepage", "poster_path", "backdrop_path",
]  # fmt: skip


def main(source: Path, directory: Path) -> None:
    """One Parquet file a table and chunk, as a data set that pandas reads as one."""
    with pd.read_json(source, lines=True, chunksize=CHUNK_ROWS, convert_dates=False) as chunks:
        for number, chunk in enumerate(chunks):
            _write(chunk.reindex(columns=SCALARS), directory / "movies", number)
            for name, path in LISTS.items():
                _write(pd.DataFrame(_rows(chunk, path)), directory / name, number)
    _write(pd.concat([_people(directory, part) for part in ("cast", "crew")]), directory / "people", 0)


def _rows(chunk: Any, path: tuple[str, ...]) -> list[dict[str, Any]]:
    if path[0] not in chunk:
        return []
    rows = []
    for movie_id, value in zip(chunk["id"], chunk[path[0]], strict=True):
        found = value.get(path[1]) if len(path) > 1 and isinstance(value, dict) else value
        for position, entry in enumerate(found if isinstance(found, list) else (), 1):
            rows.append({"movie_id": movie_id, "position": position, **entry})
    return rows


def _people(directory: Path, part: str) -> Any:
    columns = ["id", "name", "gender", "known_for_department", "popularity", "profile_path"]
    return pd.read_parquet(directory / part, columns=columns).drop_duplicates("id", keep="last")


def _write(frame: Any, directory: Path, number: int) -> None:
    directory.mkdir(exist_ok=True)
    frame.to_parquet(directory / f"{number:05}.parquet", compression="zstd", index=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
