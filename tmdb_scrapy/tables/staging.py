"""Merged files become typed records that SQL reads: `records.KIND`, one view a kind.

One pass over each file: msgspec reads what the tables need of a line and writes that, and nothing else, for
DuckDB, which packs it into Parquet with lists and structs while the next lines are read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec

from tmdb_scrapy.kinds import Kind
from tmdb_scrapy.tables.engine import name, quoted
from tmdb_scrapy.tables.entries import Record
from tmdb_scrapy.tables.reading import Unreadable, reader
from tmdb_scrapy.tables.shapes import shape_of
from tmdb_scrapy.tables.source import BrokenLine, Source

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

CHUNK_BYTES = 64 << 20
"""So much of what was read is packed at once."""
BUFFER_BYTES = 1 << 20
ROWS_A_GROUP = 8192
"""Records are large: with DuckDB's default, a group of rows alone would fill the memory."""
LARGEST_OBJECT = 16 << 20
"""Bytes of a line, DuckDB's own limit. A higher one costs memory, so it is raised where it must be."""


class Staging:
    """Reads files into `directory` and makes the views. Lines are counted through all files."""

    def __init__(self, database: DuckDBPyConnection, directory: Path) -> None:
        self._database = database
        self._directory = directory
        self._line = 0
        database.execute("ATTACH ':memory:' AS records")

    def read(self, source: Source, report: Callable[[int], None]) -> None:
        """Read a whole file. `report` is called with the bytes read since the last call.

        Raises `BrokenLine`, and `OSError` or DuckDB's errors when the disk refuses.
        """
        pattern = self._directory / f"{source.kind.name}-*.parquet"
        columns = _columns(shape_of(source.kind))
        with ThreadPoolExecutor(1) as thread:
            packing: Future[None] | None = None
            for number, (chunk, longest) in enumerate(self._chunks(source, report)):
                if packing is not None:
                    packing.result()
                target = self._directory / f"{source.kind.name}-{number:06}.parquet"
                packing = thread.submit(self._pack, chunk, target, columns, longest)
            if packing is None:
                self.leave_empty(source.kind)
            else:
                packing.result()
                self._view(source.kind, f"SELECT * FROM read_parquet({quoted(str(pattern))})")

    def leave_empty(self, kind: Kind) -> None:
        """Have the view of a kind that is not read hold no records."""
        nothing = ", ".join(
            f"NULL::{of} AS {name(column)}" for column, of in _columns(shape_of(kind)).items()
        )
        self._view(kind, f"SELECT {nothing} WHERE false")

    def _chunks(self, source: Source, report: Callable[[int], None]) -> Iterator[tuple[Path, int]]:
        """Files with what is read of the lines, each with the length of its longest line in bytes."""
        lines = self._encoded(source, report)
        number = 0
        first = next(lines, None)
        while first is not None:
            chunk = self._directory / f"{source.kind.name}-{number:06}.jsonl"
            with chunk.open("wb", buffering=BUFFER_BYTES) as file:
                written = longest = file.write(first)
                for line in lines:
                    longest = max(longest, len(line))
                    written += file.write(line)
                    if written >= CHUNK_BYTES:
                        break
            yield chunk, longest
            number += 1
            first = next(lines, None)

    def _encoded(self, source: Source, report: Callable[[int], None]) -> Iterator[bytes]:
        read = reader(shape_of(source.kind))
        encode = msgspec.json.Encoder().encode
        unreported = 0
        with source.lines as lines:
            for number, line in enumerate(lines, 1):
                try:
                    record = read(line)
                except Unreadable as error:
                    raise BrokenLine(f"{source.path}, line {number}: {error}") from None
                self._line += 1
                record.line = self._line
                record.answered = source.answered(record.id)
                yield encode(record) + b"\n"
                unreported += len(line)
                if unreported >= BUFFER_BYTES:
                    report(unreported)
                    unreported = 0
        report(unreported)

    def _pack(self, chunk: Path, target: Path, columns: dict[str, str], longest: int) -> None:
        types = ", ".join(f"{quoted(column)}: {quoted(of)}" for column, of in columns.items())
        # A thread of its own needs a cursor of its own.
        self._database.cursor().execute(
            f"COPY (SELECT * FROM read_json({quoted(str(chunk))}, format = 'newline_delimited',"
            f" columns = {{{types}}}, maximum_object_size = {max(LARGEST_OBJECT, longest + 1)}))"
            f" TO {quoted(str(target))} (FORMAT parquet, COMPRESSION lz4_raw, ROW_GROUP_SIZE {ROWS_A_GROUP})"
        )
        chunk.unlink()

    def _view(self, kind: Kind, records: str) -> None:
        """An ID that stands in the file twice counts once, as it was answered last."""
        superseded = f"records.{name('superseded_' + kind.name)}"
        self._database.execute(
            f"""CREATE TABLE {superseded} AS
                SELECT line FROM ({records})
                WHERE id IN (SELECT id FROM ({records}) GROUP BY id HAVING count(*) > 1)
                QUALIFY row_number() OVER (PARTITION BY id ORDER BY answered DESC, line DESC) > 1"""
        )
        self._database.execute(
            f"""CREATE VIEW records.{name(kind.name)} AS
                SELECT * FROM ({records}) ANTI JOIN {superseded} USING (line)"""
        )


def _columns(shape: type[Record]) -> dict[str, str]:
    """DuckDB's type of each field."""
    types = get_type_hints(shape, include_extras=True)
    return {field: _type(types[field]) for field in shape.__struct_fields__}


_SCALARS = {int: "BIGINT", float: "DOUBLE", str: "VARCHAR", bool: "BOOLEAN"}


def _type(wanted: Any) -> str:
    if get_origin(wanted) in (Union, UnionType):
        (wanted,) = (one for one in get_args(wanted) if one is not type(None))
    if get_origin(wanted) is Annotated:
        wanted = get_args(wanted)[0]
    if get_origin(wanted) is list:
        return _type(get_args(wanted)[0]) + "[]"
    if wanted in _SCALARS:
        return _SCALARS[wanted]
    types = get_type_hints(wanted, include_extras=True)
    fields = ", ".join(f"{name(field)} {_type(types[field])}" for field in wanted.__struct_fields__)
    return f"STRUCT({fields})"
