"""What DuckDB says when something fails."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tmdb_scrapy.tables.engine import EngineFailed, connect

FULL = 'Could not write file "/data/movies.csv": No space left on device'
QUOTED = FULL.replace('"', '\\"')


@pytest.mark.parametrize(
    "text",
    [
        FULL,
        f"{FULL}\n\nPossible solutions:\n* something about settings",
        f'IO Error: Write failed: {{"exception_type":"IO","exception_message":"{QUOTED}","errno":"28"}}',
        f'IO Error: Checkpoint failed for database "tmdb". Original error: {FULL}',
    ],
)
def test_the_reason_alone_is_told(tmp_path: Path, text: str) -> None:
    with pytest.raises(EngineFailed) as failed, connect(tmp_path, "64MB"):
        raise duckdb.IOException(text)
    assert str(failed.value) == FULL
