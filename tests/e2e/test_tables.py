"""`scrapy tables` as a user runs it, and as a machine ends it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

COMMAND = [sys.executable, "-m", "scrapy", "tables", "movies", "--format", "sqlite"]
MOVIES = 3_000
KILLS = 4


def write(data_dir: Path, version: str) -> None:
    line = '{"id":%d,"title":"%s","genres":[{"id":1,"name":"%s"}]}\n'
    lines = (line % (number, version, version) for number in range(1, MOVIES + 1))
    (data_dir / "movies.jsonl").write_text("".join(lines))


def versions(data_dir: Path) -> set[tuple[str, int]]:
    """What each file says: the title, and how many movies have it."""
    found = set()
    for query in (f"FROM '{data_dir}/tables/movies.parquet'", "FROM movies"):
        with duckdb.connect(str(data_dir / "tmdb.duckdb"), read_only=True) as database:
            found |= set(database.execute(f"SELECT title, count(*) {query} GROUP BY title").fetchall())
            found |= set(database.execute(f"SELECT name, {MOVIES} FROM genres").fetchall())
    genres = f"SELECT name, {MOVIES} FROM '{data_dir}/tables/genres.parquet'"
    return found | set(duckdb.execute(genres).fetchall())


@pytest.mark.slow
def test_killed_at_any_moment_it_leaves_whole_tables(environment: dict[str, str], tmp_path: Path) -> None:
    data_dir = Path(environment["DATA_DIR"])
    data_dir.mkdir()
    environment = os.environ | environment | {"SCRAPY_SETTINGS_MODULE": "tmdb_scrapy.settings"}
    write(data_dir, "0")
    began = time.monotonic()
    subprocess.run(COMMAND, env=environment, cwd=tmp_path, check=True, capture_output=True)
    whole_s = time.monotonic() - began
    before = "0"
    for kill in range(1, KILLS + 1):
        write(data_dir, str(kill))
        process = subprocess.Popen(
            COMMAND, env=environment, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            process.wait(whole_s * kill / KILLS)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        seen = versions(data_dir)
        assert seen in ({(before, MOVIES)}, {(str(kill), MOVIES)})
        before = next(iter(seen))[0]
    subprocess.run(COMMAND, env=environment, cwd=tmp_path, check=True, capture_output=True)
    assert versions(data_dir) == {(str(KILLS), MOVIES)}
    assert len(list((data_dir / ".tables").glob("[0-9]*"))) == 1
