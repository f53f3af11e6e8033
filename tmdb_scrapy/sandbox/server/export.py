"""The daily ID export: which days are published, and the gzip file of a kind."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Literal

from isal import isal_zlib

from tmdb_scrapy.sandbox.catalogue.catalogue import Catalogue

ExportFault = Literal["none", "truncate", "truncate-once", "corrupt", "corrupt-once"]

_NAME = re.compile(r"(movie|person)_ids_(\d\d)_(\d\d)_(\d{4})\.json\.gz")
_KEPT_DAYS = 90
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
"""What S3 answers, with status 403, for a file that is not there."""


class Export:
    """Builds the files on first demand and keeps them: every published day of a kind has the same content."""

    def __init__(
        self, catalogue: Catalogue, missing_days: int = 0, malformed: int = 0, fault: ExportFault = "none"
    ) -> None:
        self._catalogue = catalogue
        self._missing_days = missing_days
        self._malformed = malformed
        self._fault = fault
        self._files: dict[str, bytes] = {}
        self._abandoned = False
        self._faulted: set[str] = set()

    def kind_of(self, file_name: str, today: date) -> str | None:
        """The kind of a file that is published today (UTC); None when there is no such file."""
        match = _NAME.fullmatch(file_name)
        if match is None:
            return None
        try:
            day = date(int(match[4]), int(match[2]), int(match[3]))
        except ValueError:
            return None
        newest = today - timedelta(days=1 + self._missing_days)
        if not today - timedelta(days=_KEPT_DAYS) <= day <= newest:
            return None
        return "movies" if match[1] == "movie" else "people"

    def build(self, kind: str) -> None:
        """Make the file if it is not there yet. Takes some 15 s for a million lines: call it in a thread."""
        if kind not in self._files:
            self._files[kind] = self._compressed(kind)

    def abandon(self) -> None:
        """Let a build in another thread end soon, for the sandbox is about to stop."""
        self._abandoned = True

    def file(self, kind: str) -> bytes:
        """The gzip file, broken as asked."""
        self.build(kind)
        whole = self._files[kind]
        if self._fault == "none" or (self._fault.endswith("-once") and kind in self._faulted):
            return whole
        self._faulted.add(kind)
        if self._fault.startswith("truncate"):
            return whole[: len(whole) * 2 // 3]
        middle = len(whole) // 2
        return (
            whole[:middle] + bytes(byte ^ 0x55 for byte in whole[middle : middle + 64]) + whole[middle + 64 :]
        )

    def lines(self, kind: str) -> Iterator[bytes]:
        """The export's lines, the malformed ones among the first."""
        malformed = iter(range(self._malformed))
        for record_id in self._catalogue.ids(kind):
            yield self._catalogue.export_line(kind, record_id)
            number = next(malformed, None)
            if number is not None:
                yield MALFORMED[number % len(MALFORMED)]
        yield from (MALFORMED[number % len(MALFORMED)] for number in malformed)

    def _compressed(self, kind: str) -> bytes:
        compressor = isal_zlib.compressobj(1, isal_zlib.DEFLATED, _GZIP_WINDOW)
        chunks: list[bytes] = []
        batch: list[bytes] = []
        for line in self.lines(kind):
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
