"""One JSON line for each API request: the sandbox's own record, which measurements are made from."""

from __future__ import annotations

from pathlib import Path

import msgspec


class Entry(msgspec.Struct, kw_only=True):
    """One API request, written when it has ended."""

    t: float
    """Unix time of arrival, seconds."""
    end: float = 0.0
    """Unix time at which the last byte was handed to the system."""
    ip: str
    port: int
    key: str
    """As sent, "" if none. The sandbox's keys are made up."""
    kind: str
    """Of a record: movies, people, …; else `changes`, `discover`, one word of a path, or ""."""
    id: int
    """0 for requests that are not about one record."""
    status: int = 0
    """0 when no status line was sent."""
    fault: str | None = None
    """The injected fault, "limit" for a 429 by a rate limit, "down" in an outage."""
    bytes: int = 0
    """On the wire, headers included, before TLS."""
    in_flight: int
    """Requests in flight at arrival, this one included."""


class Journal:
    """Collects entries and appends them to a file in batches; without a path it keeps nothing."""

    def __init__(self, path: Path | None) -> None:
        self._file = path.open("wb") if path else None
        self._entries: list[Entry] = []
        self._encoder = msgspec.json.Encoder()

    def add(self, entry: Entry) -> None:
        if self._file:
            self._entries.append(entry)

    def flush(self) -> None:
        if self._file and self._entries:
            self._file.write(self._encoder.encode_lines(self._entries))
            self._file.flush()
            self._entries.clear()

    def close(self) -> None:
        self.flush()
        if self._file:
            self._file.close()


def read(path: Path) -> list[Entry]:
    """The entries of a journal, in the order in which the requests ended."""
    decoder = msgspec.json.Decoder(Entry)
    return decoder.decode_lines(path.read_bytes())
