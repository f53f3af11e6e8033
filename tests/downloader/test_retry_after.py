"""What a Retry-After header says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tmdb_scrapy.downloader.retry_after import retry_after_s

DATE = "Wed, 21 Oct 2026 07:28:00 GMT"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        (" 7 ", 7),
        ("Wed, 21 Oct 2026 07:28:09 GMT", 9),
        ("Wednesday, 21-Oct-26 07:28:09 GMT", 9),
        ("Wed Oct 21 07:28:09 2026", 9),
        ("Wed, 21 Oct 2026 07:27:00 GMT", 0),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("1.5", None),
        ("²", None),
        ("Wed, 99 Oct 2026 07:28:09 GMT", None),
    ],
)
def test_seconds_and_every_form_of_a_date_are_understood(text: str, seconds: float | None) -> None:
    assert retry_after_s({"retry-after": text, "date": DATE}) == seconds


def test_without_the_header_there_is_nothing_to_wait_for() -> None:
    assert retry_after_s({"date": DATE}) is None


@pytest.mark.parametrize("date", [{}, {"date": "today"}])
def test_without_the_servers_clock_ours_has_to_do(date: dict[str, str]) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(minutes=1), usegmt=True)
    seconds = retry_after_s({"retry-after": later, **date})
    assert seconds is not None and 50 < seconds <= 60


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_header_is_an_error(text: str, date: str) -> None:
    seconds = retry_after_s({"retry-after": text, "date": date})
    assert seconds is None or seconds >= 0


@given(st.from_regex(r"\w{3}, \d{1,3} \w{3} \d{1,5} \d\d:\d\d:\d\d [-+]?\w{1,6}", fullmatch=True))
def test_what_looks_like_a_date_is_no_error_either(text: str) -> None:
    seconds = retry_after_s({"retry-after": text, "date": DATE})
    assert seconds is None or seconds >= 0
