"""When to ask again, from an answer's headers (RFC 9110, 10.2.3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds of the Retry-After header; None when there is none to understand. Names in lower case."""
    text = headers.get("retry-after", "").strip()
    if text.isdecimal():
        return float(text)
    moment = _moment(text)
    if moment is None:
        return None
    # By the server's own clock, since ours may be wrong.
    now = _moment(headers.get("date", "")) or datetime.now(UTC)
    return max(0.0, (moment - now).total_seconds())


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
