"""What can be changed while the sandbox runs: limits, latency, faults, outages and the day."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

import msgspec

from tmdb_scrapy.sandbox.server.faults import FAULTS
from tmdb_scrapy.sandbox.server.limits import LimitKind

_NotNegative = Annotated[float, msgspec.Meta(ge=0)]
_Count = Annotated[int, msgspec.Meta(ge=0)]
_Positive = Annotated[int, msgspec.Meta(ge=1)]
_Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Down = Literal["503", "html", "blocked", "cloudfront", "portal"]


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The present behaviour. Every value has the name it has in `POST /_sandbox/settings`."""

    limit_per_ip: _NotNegative = 0
    """Requests a second from one address; 0 = no limit."""
    limit_per_key: _NotNegative = 0
    limit_burst: _Count = 0
    """Size of the bucket or of the window in requests; 0 = one second's worth."""
    limit_kind: LimitKind = "bucket"
    retry_after: _Count | Literal["none"] = "none"
    """Value of the Retry-After header of a 429, in seconds; "none" leaves it out."""
    retry_after_every: _Positive = 1
    """Only every so many-th 429 of a rate limit carries the header."""
    connections_per_ip: _Count = 0
    """Open connections from one address; one more is reset at once; 0 = no limit."""
    latency_ms: _NotNegative = 0
    latency_jitter_ms: _NotNegative = 0
    """Added to the latency: evenly from 0 to this."""
    faults: dict[str, _Share] = {}
    """Share of requests that meet each fault."""
    poison: list[int] = []
    """IDs that always lead to a 500."""
    without_appended: dict[str, _Share] = {}
    """What was asked to be appended and is left out without a word, by the share of requests."""
    broken_appended: dict[str, _Share] = {}
    """What was asked to be appended and is an error (`{"success":false,…}`) in its place."""
    down: bool | Down = False
    """True resets every connection; "503" is TMDb's own outage; the others are what somebody else sends in
    TMDb's place, for the export's files as well."""
    day: _Count = 0
    """Days that have passed since the catalogue was made."""
    today: date | None = None
    """The present day's date; today (UTC) unless it is said."""
    late_changes: _Share = 0
    """Share of the present day's changes that the feed does not tell before the next day: it is cached."""
    stale_records: _Share = 0
    """Share of the records that are served as they were the day before: they are cached."""
    shifting_pages: _Count = 0
    """By how many places, at most, each page of discover lies elsewhere than it should."""

    def __post_init__(self) -> None:
        unknown = sorted(set(self.faults) - set(FAULTS))
        if unknown:
            raise ValueError(f"unknown fault {', '.join(unknown)}; there are {', '.join(FAULTS)}")
        if sum(self.faults.values()) > 1:
            raise ValueError(f"the shares of the faults add up to {sum(self.faults.values()):g}, more than 1")

    def changed(self, patch: dict[str, Any]) -> Settings:
        """A copy with some values replaced; raises msgspec.ValidationError for what is not allowed."""
        return msgspec.convert(msgspec.to_builtins(self) | patch, Settings)
