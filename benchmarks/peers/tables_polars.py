"""Tables by polars: the file is scanned once a table, with a schema, and written as it streams.

python -m benchmarks.peers.tables_polars MOVIES.jsonl DIRECTORY
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import polars as pl

NAMED = {"id": pl.Int64, "name": pl.String}
PERSON = NAMED | {
    "original_name": pl.String, "gender": pl.Int64, "known_for_department": pl.String,
    "popularity": pl.Float64, "profile_path": pl.String, "adult": pl.Boolean, "credit_id": pl.String,
}  # fmt: skip
CAST = PERSON | {"order": pl.Int64, "character": pl.String, "cast_id": pl.Int64}
CREW = PERSON | {"department": pl.String, "job": pl.String}


def _list(fields: dict[str, Any]) -> Any:
    return pl.List(pl.Struct(fields))


TEXTS = (
    "imdb_id", "title", "original_title", "original_language", "release_date", "status", "overview",
    "tagline", "homepage", "poster_path", "backdrop_path",
)  # fmt: skip
SCHEMA: dict[str, Any] = {
    "id": pl.Int64,
    **dict.fromkeys(TEXTS, pl.String),
    **dict.fromkeys(("runtime", "budget", "revenue", "vote_count"), pl.Int64),
    **dict.fromkeys(("popularity", "vote_average"), pl.Float64),
    **dict.fromkeys(("adult", "video"), pl.Boolean),
    "genres": _list(NAMED),
    "production_companies": _list(NAMED | {"logo_path": pl.String, "origin_country": pl.String}),
    "production_countries": _list({"iso_3166_1": pl.String, "name": pl.String}),
    "spoken_languages": _list({"iso_639_1": pl.String, "name": pl.String, "english_name": pl.String}),
    "credits": pl.Struct({"cast": _list(CAST), "crew": _list(CREW)}),
    "keywords": pl.Struct({"keywords": _list(NAMED)}),
    "similar": pl.Struct({"results": _list({"id": pl.Int64}), "total_results": pl.Int64}),
    "recommendations": pl.Struct({"results": _list({"id": pl.Int64}), "total_results": pl.Int64}),
}
LISTS = {
    "genres": pl.col("genres"),
    "companies": pl.col("production_companies"),
    "countries": pl.col("production_countries"),
    "languages": pl.col("spoken_languages"),
    "cast": pl.col("credits").struct.field("cast"),
    "crew": pl.col("credits").struct.field("crew"),
    "keywords": pl.col("keywords").struct.field("keywords"),
    "similar": pl.col("similar").struct.field("results"),
    "recommendations": pl.col("recommendations").struct.field("results"),
}


def main(source: Path, directory: Path) -> None:
    movies = pl.scan_ndjson(source, schema=SCHEMA)
    scalars = [name for name, of in SCHEMA.items() if not isinstance(of, pl.List | pl.Struct)]
    movies.select(scalars).sink_parquet(directory / "movies.parquet", compression="zstd")
    for name, found in LISTS.items():
        listed = movies.select(pl.col("id").alias("movie_id"), found.alias("entry"))
        exploded = listed.filter(pl.col("entry").list.len() > 0).explode("entry").unnest("entry")
        exploded.sink_parquet(directory / f"{name}.parquet", compression="zstd")
    people = [pl.scan_parquet(directory / f"{name}.parquet").select(*PERSON) for name in ("cast", "crew")]
    named = pl.concat(people).unique("id", keep="last", maintain_order=False)
    named.sink_parquet(directory / "people.parquet", compression="zstd")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
