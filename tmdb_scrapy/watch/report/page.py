"""The report as one HTML file: no script, no request to anywhere, whatever TMDb's texts contain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from tmdb_scrapy.queue import State
from tmdb_scrapy.tables.metadata import ATTRIBUTION
from tmdb_scrapy.watch.charts import STYLE, Chart
from tmdb_scrapy.watch.markup import number, plain
from tmdb_scrapy.watch.report.collected import Collected
from tmdb_scrapy.watch.report.crawl import Crawl
from tmdb_scrapy.watch.report.pictures import of_crawl, of_movies
from tmdb_scrapy.watch.templates import templates

NAME = "report.html"
"""Of the file, in DATA_DIR."""
MOST_NAMED = 100
"""IDs of a kind that failed."""
LONGEST_NOTICE = 1_000
"""Letters of a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that the page tells."""

    written_at: datetime
    crawls: Sequence[Crawl]
    collected: Collected | None
    """None where there is no merged file of movies."""
    source: str
    """What it was counted from."""
    silence: str = ""
    """Why nothing is known from Redis; empty where it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """IDs that came to nothing for now, as far as they are named."""

    title: str
    named: Sequence[tuple[str, str, str]]
    """Of each what it is called, its page of TMDb's, and why."""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, what is to say, and charts."""

    heading: str
    facts: Sequence[tuple[str, str]]
    charts: Sequence[Chart]
    remarks: Sequence[str] = ()
    failures: Failures | None = None


def page(report: Report) -> str:
    """The whole file."""
    environment = templates("tmdb_scrapy.watch.report", ".", _shown)
    return environment.get_template("report.html").render(
        written=report.written_at.strftime("%Y-%m-%d %H:%M UTC"),
        silence=report.silence,
        style=STYLE,
        sections=list(_sections(report)),
        attribution=ATTRIBUTION,
    )


def _shown(value: object) -> object:
    """What the template is given, before it is escaped; what is marked as safe was escaped by the charts."""
    return plain(value, LONGEST_NOTICE) if type(value) is str else value


def _sections(report: Report) -> Iterator[Section]:
    for crawl in report.crawls:
        yield Section(
            f"The crawl of {crawl.kind.name}", _facts(crawl), [*of_crawl(crawl)], [*_unknown(crawl)],
            _failures(crawl),
        )  # fmt: skip
    if report.collected is not None:
        facts = [("movies", f"{report.collected.movies:,}"), ("counted from", report.source)]
        yield Section("What was collected", facts, [*of_movies(report.collected)])


def _facts(crawl: Crawl) -> list[tuple[str, str]]:
    facts = []
    if crawl.snapshot is not None:
        done, total = crawl.snapshot.done, crawl.snapshot.total
        facts += [(f"{crawl.kind.name} done", f"{done:,} of {total:,}" if done < total else f"{done:,}")]
    facts += _traffic(crawl)
    if crawl.merged_at is not None:
        facts += [("merged", crawl.merged_at.strftime("%Y-%m-%d %H:%M UTC"))]
        facts += [("merged file", f"{crawl.merged_bytes / 1e6:,.1f} MB")]
    facts += [(f"{change} by the last merge", f"{count:,}") for change, count in crawl.changes.items()]
    return facts


def _traffic(crawl: Crawl) -> Iterator[tuple[str, str]]:
    """Of the last week, only the time in which anything happened."""
    busy = [stretch for stretch in crawl.history if stretch.sums.settled or stretch.sums.answers]
    if not busy:
        return
    settled = sum(stretch.sums.settled for stretch in busy)
    answers = sum(stretch.sums.answers for stretch in busy)
    minutes = sum(stretch.minutes for stretch in busy)
    yield "a minute, on average", number(round(settled / minutes))
    yield "answers of status 429", f"{sum(stretch.sums.throttled for stretch in busy):,}"
    if answers:
        latency_ms = sum(stretch.sums.milliseconds for stretch in busy) / answers
        yield "an answer took, on average", f"{number(round(latency_ms))} ms"


def _failures(crawl: Crawl) -> Failures | None:
    kind, snapshot = crawl.kind, crawl.snapshot
    if snapshot is None or not snapshot.failures:
        return None
    shown = sorted(snapshot.failures.items())[:MOST_NAMED]
    every = snapshot.of(State.FAILED) + snapshot.of(State.STALE)
    return Failures(
        title=f"Which {kind.name} failed: {len(shown):,} named of {every:,}",
        named=[(f"{kind.singular} {each}", kind.web_page(each), why) for each, why in shown],
    )


def _unknown(crawl: Crawl) -> Iterator[str]:
    if crawl.snapshot is not None and not crawl.history:
        yield "Rate, 429s and latency: nothing was written down in the last week."
    if not crawl.hosts:
        yield "Which hosts did it: there are no parts here."
    if not crawl.changes:
        yield "What the last merge changed: no file of changes is here."
