"""What happened in each minute of the last days, as the settle script wrote it."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from typing import NamedTuple

KEPT_DAYS = 7
EXPIRY_S = (KEPT_DAYS + 1) * 86_400
"""The oldest day is whole as long as it is shown."""
MINUTES_A_DAY = 1_440


class Traffic(NamedTuple):
    """What a worker has exchanged with the API since it started."""

    worker: str = ""
    answers: int = 0
    throttled: int = 0
    """Answers of status 429."""
    milliseconds: int = 0
    """That all answers together took."""


UNTOLD = Traffic()
"""Of nobody, none."""


class Minute(NamedTuple):
    """One minute of one kind, the fleet's workers together: IDs by outcome, and what the API answered."""

    kept: int = 0
    dropped: int = 0
    missing: int = 0
    failed: int = 0
    stale: int = 0
    answers: int = 0
    throttled: int = 0
    milliseconds: int = 0

    @property
    def settled(self) -> int:
        """IDs that ended."""
        return self.kept + self.dropped + self.missing + self.failed + self.stale

    @property
    def mean_s(self) -> float:
        """How long an answer took on average."""
        return self.milliseconds / 1000 / self.answers if self.answers else 0.0

    def __or__(self, other: Minute) -> Minute:
        """Both together."""
        return Minute(*(mine + its for mine, its in zip(self, other, strict=True)))


History = Mapping[int, Minute]
"""By minutes since the epoch; a minute in which nothing happened is absent."""


def minute_of(at: float) -> int:
    """The minute since the epoch of a time in seconds since the epoch."""
    return int(at // 60)


def day_of(minute: int) -> str:
    """The day of a minute in UTC: `2026-11-25`."""
    return datetime.datetime.fromtimestamp(minute * 60, datetime.UTC).date().isoformat()


def days_of(since: int, until: int) -> list[str]:
    """The days on which the minutes from `since` to `until` lie."""
    return list(dict.fromkeys(day_of(minute) for minute in (*range(since, until, MINUTES_A_DAY), until)))


def of_day(day: str, written: Mapping[bytes, bytes]) -> Iterator[tuple[int, Minute]]:
    """The minutes of a day's hash, by minutes since the epoch."""
    midnight = minute_of(datetime.datetime.fromisoformat(f"{day}T00:00+00:00").timestamp())
    return ((midnight + int(minute), decoded(value)) for minute, value in written.items())


class Written(Mapping[int, Minute]):
    """A history as it was read: a week of minutes takes little memory until somebody asks for them."""

    def __init__(self) -> None:
        self._minutes: dict[int, bytes] = {}

    def __getitem__(self, minute: int) -> Minute:
        return decoded(self._minutes[minute])

    def __iter__(self) -> Iterator[int]:
        return iter(self._minutes)

    def __len__(self) -> int:
        return len(self._minutes)

    def add(self, history: Mapping[int, Minute], first: int) -> None:
        """Take what a later reading says, and let go of what is before the minute `first`."""
        for minute in sorted(history):
            self._minutes[minute] = b" ".join(b"%d" % number for number in history[minute])
        while self._minutes and (earliest := next(iter(self._minutes))) < first:
            del self._minutes[earliest]


def decoded(written: bytes) -> Minute:
    """A minute as the script wrote it; columns that a later release added are left out."""
    return Minute(*map(int, written.split()[: len(Minute._fields)]))
