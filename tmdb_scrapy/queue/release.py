"""Which release of this program wrote the keys in Redis."""

from __future__ import annotations

from tmdb_scrapy.queue.keys import SCHEMA


class OtherRelease(Exception):
    """The keys in Redis, or workers that live, are of another release; the text says what to do."""


def refuse_later(kind: str, schema: int) -> None:
    """Raises `OtherRelease` when the keys of a kind have a layout that this release does not know."""
    if schema > SCHEMA:
        raise OtherRelease(
            f"the {kind} in Redis were written by a later release of this program (schema "
            f"{schema}, this one knows {SCHEMA}): update it, on every machine"
        )
