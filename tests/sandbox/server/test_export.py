from __future__ import annotations

import contextlib
import gzip
import json
import zlib
from datetime import date, timedelta

import pytest

from tmdb_scrapy.sandbox.catalogue.generated import GeneratedCatalogue
from tmdb_scrapy.sandbox.server.calendar import Calendar
from tmdb_scrapy.sandbox.server.export import Export, ExportFile

TODAY = date(2026, 9, 1)
MOVIES = ExportFile("movies", 0)


def name(days_ago: int, kind: str = "movie") -> str:
    return f"{kind}_ids_{TODAY - timedelta(days=days_ago):%m_%d_%Y}.json.gz"


@pytest.fixture
def catalogue() -> GeneratedCatalogue:
    return GeneratedCatalogue({"movies": 300, "people": 30})


@pytest.fixture
def calendar(catalogue: GeneratedCatalogue) -> Calendar:
    calendar = Calendar(catalogue)
    calendar.set(0, TODAY)
    return calendar


@pytest.mark.parametrize(
    ("days_ago", "missing_days", "published"),
    [
        (0, 0, False),
        (1, 0, True),
        (90, 0, True),
        (91, 0, False),
        (1, 1, False),
        (2, 1, True),
        (7, 7, False),
        (8, 7, True),
    ],
)
def test_ninety_days_are_published_up_to_yesterday_less_the_missing_ones(
    calendar: Calendar, days_ago: int, missing_days: int, published: bool
) -> None:
    export = Export(calendar, missing_days=missing_days)
    assert (export.published(name(days_ago)) is not None) is published


@pytest.mark.parametrize("bad", ["movie_ids_13_45_2026.json.gz", "genre_ids_08_31_2026.json.gz", "x", ""])
def test_other_file_names_are_not_published(calendar: Calendar, bad: str) -> None:
    assert Export(calendar).published(bad) is None


def test_the_file_has_every_id_once_in_ascending_order(
    catalogue: GeneratedCatalogue, calendar: Calendar
) -> None:
    lines = gzip.decompress(Export(calendar).file(MOVIES)).decode().split("\n")
    assert lines.pop() == ""
    assert [json.loads(line)["id"] for line in lines] == list(catalogue.ids("movies"))


def test_people_have_their_own_file(calendar: Calendar) -> None:
    export = Export(calendar)
    assert export.published(name(1, "person")) == ("people", 0)
    assert gzip.decompress(export.file(ExportFile("people", 0))).count(b'"name":') == 30


@pytest.mark.parametrize("count", [1, 6, 40, 500])
def test_malformed_lines_come_on_top(calendar: Calendar, count: int) -> None:
    lines = list(Export(calendar, malformed=count).lines(MOVIES))
    assert len(lines) == 300 + count
    good = 0
    for line in lines:
        with contextlib.suppress(ValueError, KeyError, TypeError):
            good += isinstance(json.loads(line)["id"], int)
    assert good == 300


@pytest.mark.parametrize(("fault", "error"), [("truncate", EOFError), ("corrupt", (zlib.error, OSError))])
def test_a_broken_file_is_broken_every_time(
    calendar: Calendar, fault: str, error: type[Exception] | tuple[type[Exception], ...]
) -> None:
    export = Export(calendar, fault=fault)  # type: ignore[arg-type]
    for _ in range(2):
        with pytest.raises(error):
            gzip.decompress(export.file(MOVIES))


@pytest.mark.parametrize("fault", ["truncate-once", "corrupt-once"])
def test_a_file_broken_once_is_whole_the_second_time(calendar: Calendar, fault: str) -> None:
    export = Export(calendar, fault=fault)  # type: ignore[arg-type]
    with pytest.raises((EOFError, zlib.error, OSError)):
        gzip.decompress(export.file(MOVIES))
    assert gzip.decompress(export.file(MOVIES)).count(b"\n") == 300
