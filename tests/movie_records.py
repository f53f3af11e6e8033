"""A DATA_DIR with movies: parts as workers write them, merged without Redis."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.records.merge import Merged, merge
from tmdb_scrapy.records.part import Part, merged_file, parts_directory

KIND = KINDS["movies"]


class Records:
    """A DATA_DIR with movies."""

    def __init__(self, data_dir: Path, clock: Clock) -> None:
        self.data_dir = data_dir
        self.clock = clock
        self.file = merged_file(data_dir, KIND)
        self.index = data_dir / "movies.index"
        self.parts = parts_directory(data_dir, KIND)

    def line(self, tmdb_id: int, text: str = "x") -> bytes:
        return json.dumps({"adult": False, "id": tmdb_id, "title": text}).encode() + b"\n"

    def part(self, name: str, *lines: tuple[int, int, str]) -> Path:
        """A part of a worker that ended; its lines are ID, second of the answer, text."""
        part = Part(self.parts / f"{name}.jsonl")
        for tmdb_id, second, text in lines:
            self.clock.now_s = second
            part.write(tmdb_id, self.line(tmdb_id, text))
        part.close()
        return part.path

    def merge(self, ledger: str, **options: Any) -> Merged:
        """`ledger` from ID 1 on: `"kkd"`."""
        return merge(self.data_dir, KIND, b"\0" + ledger.encode(), lambda *_: None, **options)

    def titles(self) -> dict[int, str]:
        """By ID, of the merged file; each ID must be there once."""
        records = [json.loads(line) for line in self.file.read_bytes().splitlines()]
        titles = {record["id"]: record["title"] for record in records}
        assert len(titles) == len(records)
        return titles

    def changes(self) -> list[tuple[int, str]]:
        lines = (self.data_dir / "movies.changes.jsonl").read_bytes().splitlines()
        return sorted((change["id"], change["change"]) for change in map(json.loads, lines))


class Clock:
    """`time.time_ns` of the parts."""

    def __init__(self) -> None:
        self.now_s = 1_000

    def time_ns(self) -> int:
        return self.now_s * 1_000_000_000
