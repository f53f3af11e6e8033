"""The daily ID exports: which days are published, and the gzip file of a kind and a day."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache
from typing import Literal, NamedTuple

from isal import isal_zlib

from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.sandbox.server.calendar import Calendar

ExportFault = Literal["none", "truncate", "truncate-once", "corrupt", "corrupt-once"]

_NAME = re.compile(r"([a-z_]+)_(\d\d)_(\d\d)_(\d{4})\.json\.gz")
_KIND_OF_EXPORT = {kind.export: kind.name for kind in KINDS.values()}
_KEPT_DAYS = 90
_KEPT_FILES = 4
"""A file of a million movies has 20 MB, and takes some 15 s to make."""
_FIRST_DAY = 0
_GZIP_WINDOW = 31
"""zlib's number for a 32 KB window in a gzip wrapper."""
_LINES_A_BATCH = 2_000

MALFORMED = (
    b'{"adult":false,"id":',
    b"not JSON at all",
    b'{"adult":false,"original_title":"no id","popularity":1.5,"video":false}',
    b'{"adult":false,"id":"12","original_title":"id is text","popularity":1.5,"video":false}',
    b'{"adult":false,"id":77,"original_title":"cut off in the mid',
    b"[]",
)

NOT_PUBLISHED = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code>'
    b"<Message>Access Denied</Message></Error>"
)
"""What S3 sends, with status 403, for a file that is not there."""


class ExportFile(NamedTuple):
    """One file of one kind."""

    kind: str
    day: int
    """What it tells: the catalogue of this day."""


class Export:
    """Builds the files on first demand and keeps those that were asked for last.

    Yesterday's file tells the present day's catalogue, and each file before it that of a day earlier; where
    some are missing, the newest that is published lags behind. Files older than the catalogue are alike.
    """

    def __init__(
        self, calendar: Calendar, missing_days: int = 0, malformed: int = 0, fault: ExportFault = "none"
    ) -> None:
        self._calendar = calendar
        self._missing_days = missing_days
        self._malformed = malformed
        self._fault = fault
        self._abandoned = False
        self._faulted: set[ExportFile] = set()
        self.build = lru_cache(maxsize=_KEPT_FILES)(self._compressed)
        """Makes a file that is not there yet, and returns it whole. Takes some 15 s for a million lines: call
        it in a thread."""

    def published(self, file_name: str) -> ExportFile | None:
        """The file of this name; None when it is not there today."""
        match = _NAME.fullmatch(file_name)
        kind = _KIND_OF_EXPORT.get(match[1]) if match else None
        if match is None or kind is None:
            return None
        try:
            dated = date(int(match[4]), int(match[2]), int(match[3]))
        except ValueError:
            return None
        today = self._calendar.today
        newest = today - timedelta(days=1 + self._missing_days)
        if not today - timedelta(days=_KEPT_DAYS) <= dated <= newest:
            return None
        return ExportFile(kind, max(_FIRST_DAY, self._calendar.number(dated) + 1))

    def abandon(self) -> None:
        """Let a build in another thread end soon, for the sandbox is about to stop."""
        self._abandoned = True

    def file(self, file: ExportFile) -> bytes:
        """The gzip file, spoilt as asked."""
        return self.spoilt(file, self.build(file))

    def spoilt(self, file: ExportFile, whole: bytes) -> bytes:
        """What is sent in place of the whole file, each time or the first time."""
        if self._fault == "none" or (self._fault.endswith("-once") and file in self._faulted):
            return whole
        self._faulted.add(file)
        if self._fault.startswith("truncate"):
            return whole[: len(whole) * 2 // 3]
        middle = len(whole) // 2
        return (
            whole[:middle] + bytes(byte ^ 0x55 for byte in whole[middle : middle + 64]) + whole[middle + 64 :]
        )

    def lines(self, file: ExportFile) -> Iterator[bytes]:
        """The export's lines, the malformed ones among the first."""
        catalogue = self._calendar.catalogue(file.day)
        malformed = iter(range(self._malformed))
        for record_id in catalogue.ids(file.kind):
            yield catalogue.export_line(file.kind, record_id)
            number = next(malformed, None)
            if number is not None:
                yield MALFORMED[number % len(MALFORMED)]
        yield from (MALFORMED[number % len(MALFORMED)] for number in malformed)

    def _compressed(self, file: ExportFile) -> bytes:
        compressor = isal_zlib.compressobj(1, isal_zlib.DEFLATED, _GZIP_WINDOW)
        chunks: list[bytes] = []
        batch: list[bytes] = []
        for line in self.lines(file):
            batch.append(line)
            if len(batch) == _LINES_A_BATCH:
                chunks.append(compressor.compress(b"\n".join(batch) + b"\n"))
                batch.clear()
                if self._abandoned:
                    break
        if batch:
            chunks.append(compressor.compress(b"\n".join(batch) + b"\n"))
        chunks.append(compressor.flush())
        return b"".join(chunks)
