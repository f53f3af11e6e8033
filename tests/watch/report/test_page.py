"""The report as a file: whole in itself, and safe whatever is written in it."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.queue import Minute, Snapshot
from tmdb_scrapy.tables.metadata import ATTRIBUTION
from tmdb_scrapy.watch.report.collected import Amount, Collected, Connected
from tmdb_scrapy.watch.report.crawl import MOST_POINTS, Crawl, stretches
from tmdb_scrapy.watch.report.page import MOST_NAMED, Report, page

HOSTILE = (
    '</title><script>alert(1)</script><img src=x onerror="alert(2)">{{ 7 * 7 }}\u202e\x00' + "x" * 10_000
)


class Elements(HTMLParser):
    """Every element with its attributes, and all text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: Any) -> None:
        self.found.append((tag, dict(attributes)))

    def handle_data(self, data: str) -> None:
        self.text += data


def crawl(text: str = "") -> Crawl:
    snapshot = Snapshot(
        counts={"queued": 5, "kept": 600, "dropped": 300, "missing": 80, "failed": 15, "stale": 0},
        dropped={"revenue": 200, f"budget{text}": 100},
        leased=0, workers=[], lost={}, failures={1: f"a timeout{text}", 2: f"a timeout{text}"},
    )  # fmt: skip
    minutes = {
        29_000_000 + at: Minute(kept=60, answers=120, throttled=3, milliseconds=24_000) for at in range(9)
    }
    return Crawl(
        kind=KINDS["movies"], exported=1_000, snapshot=snapshot, history=stretches(minutes),
        hosts=Counter({f"host{text}": 7}), changes=Counter(added=4, updated=5, removed=6),
    )  # fmt: skip


def collected(text: str = "") -> Collected:
    return Collected(
        movies=600, decades=Counter({1990: 10, 2010: 590}), languages=Counter({f"English{text}": 600}),
        countries=Counter({f"France{text}": 6}), genres=Counter({f"Drama{text}": number for number in (9,)}),
        money=Counter({(Amount(3, 1), Amount(7, 2)): 44}), runtimes=Counter({90: 5}), votes=Counter({10: 3}),
        complete=Counter(title=600, budget=150), connected=[Connected(f"Somebody{text}", 1, 77, 8)],
    )  # fmt: skip


def written(**changed: Any) -> str:
    told: dict[str, Any] = {
        "written_at": datetime(2026, 1, 2, 3, 4, tzinfo=UTC), "crawls": [crawl()], "collected": collected(),
        "source": "movies.jsonl",
    }  # fmt: skip
    return page(Report(**told | changed))


def test_it_tells_what_is_known() -> None:
    text = Elements(written()).text
    for expected in (
        "2026-01-02 03:04 UTC", "995 of 1,000", "dropped: revenue", "dropped: budget", "a timeout", "host",
        "1990s", "2000s", "English", "France", "Drama", "Somebody", "77", "25.0 %", ATTRIBUTION,
        "added by the last merge", "answers of status 429", "200 ms", "movies.jsonl",
    ):  # fmt: skip
        assert expected in text, expected


def test_it_has_no_script_and_asks_nobody() -> None:
    for text in (written(), written(crawls=[crawl(HOSTILE)], collected=collected(HOSTILE), silence=HOSTILE)):
        for tag, attributes in Elements(text).found:
            assert tag not in {
                "script",
                "link",
                "img",
                "iframe",
                "object",
                "embed",
                "base",
                "form",
                "image",
                "use",
            }
            assert not {name for name in attributes if name in {"src", "style"} or name.startswith("on")}
            link = attributes.get("href")
            assert link is None or re.fullmatch(r"https://www\.themoviedb\.org/movie/\d+", link)
        assert not re.search(r"url\(|@import", text)
        assert "default-src 'none'" in text


def test_what_others_wrote_is_shown_as_text_and_the_file_stays_small() -> None:
    text = written(crawls=[crawl(HOSTILE)] * 3, collected=collected(HOSTILE), silence=HOSTILE, source=HOSTILE)
    assert Elements(text).text.count("<script>alert(1)</script>") > 10
    assert "{{ 7 * 7 }}" in Elements(text).text
    assert "\x00" not in text
    assert len(text.encode()) < 1_000_000


def test_what_failed_is_named_with_its_page_and_why() -> None:
    snapshot = Snapshot(
        counts={"failed": 150, "stale": 5}, dropped={}, leased=0, workers=[], lost={},
        failures={number: f"why <b>{number}</b>" for number in range(155, 0, -1)},
    )  # fmt: skip
    text = written(crawls=[Crawl(kind=KINDS["tv"], snapshot=snapshot)])
    assert f"Which tv failed: {MOST_NAMED} named of 155" in text
    item = (
        '<li><a href="https://www.themoviedb.org/tv/1" rel="noreferrer">series 1</a> '
        "<bdi>why &lt;b&gt;1&lt;/b&gt;</bdi></li>"
    )
    assert item in text
    assert text.count("<li>") == MOST_NAMED and "/tv/101" not in text


def test_where_nothing_failed_no_failure_is_told() -> None:
    snapshot = Snapshot(counts={"kept": 5}, dropped={}, leased=0, workers=[], lost={})
    assert "failed" not in Elements(written(crawls=[Crawl(kind=KINDS["tv"], snapshot=snapshot)])).text


def test_without_redis_it_says_so_and_tells_the_rest() -> None:
    silent = crawl()
    silent.snapshot, silent.history = None, []
    text = Elements(written(crawls=[silent], silence="Nobody answers at redis://127.0.0.1.")).text
    assert "counts, rates and failures are not known here. Nobody answers" in text
    assert "From the export" not in text
    assert "host" in text


def test_what_is_not_there_is_said() -> None:
    bare = Crawl(kind=KINDS["tv"], snapshot=crawl().snapshot)
    text = Elements(written(crawls=[bare], collected=None)).text
    for expected in ("Rate, 429s and latency: nothing", "there are no parts here", "no file of changes"):
        assert expected in text
    assert "What was collected" not in text
    assert "make crawl" in Elements(written(crawls=[], collected=None)).text


def test_stretches_of_time_lose_nothing() -> None:
    day = 29_000_160
    minutes = {
        day + at: Minute(kept=at % 7, answers=at, throttled=at % 3, milliseconds=at * 9)
        for at in range(0, 10_000, 3)
    }
    few = stretches(minutes)
    assert len(few) <= MOST_POINTS
    for place in range(len(Minute._fields)):
        assert sum(one.sums[place] for one in few) == sum(minute[place] for minute in minutes.values())
    assert sum(one.minutes for one in few) == max(minutes) - min(minutes) + 1
    assert stretches({}) == []
    assert [one.minutes for one in stretches({5: Minute(kept=1)})] == [1]
