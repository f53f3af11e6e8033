"""The charts of a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from tmdb_scrapy.queue import State
from tmdb_scrapy.watch.charts import Bar, Chart, Line, bars, cells, columns, lines
from tmdb_scrapy.watch.markup import short
from tmdb_scrapy.watch.report.collected import FIELDS, LONGEST_RUNTIME, RUNTIME_STEP, Amount, Collected
from tmdb_scrapy.watch.report.crawl import Crawl

LONGEST_LIST = 20
"""Bars of a chart; the others are one bar together."""
FEWEST_POINTS = 3
"""Of fewer no line is drawn."""
STATES = (State.DROPPED, State.MISSING, State.FAILED, State.STALE)
DROPPED_SERIES, KEPT_SERIES = 2, 4


def of_crawl(crawl: Crawl) -> Iterator[Chart]:
    """How the IDs of a kind ended, how fast, where, and why not."""
    kind = crawl.kind
    if crawl.snapshot is not None:
        yield _funnel(crawl)
    if len(crawl.history) >= FEWEST_POINTS:
        yield from _over_time(crawl)
    if crawl.hosts:
        yield _ranking(
            f"Records of {kind.name} by host", "How many records the workers of each host wrote.",
            crawl.hosts, ("host", "records"),
        )  # fmt: skip
    if crawl.snapshot is not None and crawl.snapshot.failures:
        reasons = Counter(crawl.snapshot.failures.values())
        about = "Reasons of those IDs that came to nothing; of very many, only the first are known."
        yield _ranking(f"Why {kind.name} failed", about, reasons, ("reason", "IDs"), series=DROPPED_SERIES)


def _funnel(crawl: Crawl) -> Chart:
    assert crawl.snapshot is not None
    snapshot, kind = crawl.snapshot, crawl.kind
    found = [Bar("in the export", crawl.exported)] if crawl.exported else []
    found.append(Bar("queued", snapshot.total))
    found += [Bar(f"dropped: {reason}", count, series=2) for reason, count in snapshot.dropped.items()]
    told = sum(snapshot.dropped.values())
    rest = snapshot.of(State.DROPPED) - told
    others = [("dropped", rest), *((state.label, snapshot.of(state)) for state in STATES[1:])]
    found += [Bar(label, count, series=2) for label, count in others if count]
    if snapshot.queued:
        found.append(Bar("still queued", snapshot.queued, series=3))
    found.append(Bar("kept", snapshot.of(State.KEPT), series=KEPT_SERIES))
    about = "From the IDs of the export to the records that were kept; between them, why the others are not."
    return bars(f"From the export to what is kept: {kind.name}", about, [("", found)], ("outcome", "IDs"))


def _over_time(crawl: Crawl) -> Iterator[Chart]:
    times = [stretch.begins for stretch in crawl.history]
    name = crawl.kind.name

    def per_second(count: int, minutes: int) -> float:
        return round(count / (60 * minutes), 3)

    settled = [per_second(stretch.sums.settled, stretch.minutes) for stretch in crawl.history]
    kept = [per_second(stretch.sums.kept, stretch.minutes) for stretch in crawl.history]
    yield lines(
        f"Rate of {name}", "IDs that ended in a second, and how many of them were kept.",
        times, [Line("all", settled), Line("kept", kept)], "a second",
    )  # fmt: skip
    throttled = [stretch.sums.throttled / stretch.minutes for stretch in crawl.history]
    yield lines(
        f"Refused as too many: {name}", "Answers of status 429 in a minute.",
        times, [Line("429s", throttled)], "a minute",
    )  # fmt: skip
    latency = [1000 * stretch.sums.mean_s if stretch.sums.answers else None for stretch in crawl.history]
    yield lines(
        f"How long answers took: {name}", "The mean of each stretch of time, in milliseconds.",
        times, [Line("milliseconds", latency)], "ms",
    )  # fmt: skip


def of_movies(found: Collected) -> Iterator[Chart]:
    """What was collected."""
    decades = range(min(found.decades, default=0), max(found.decades, default=-10) + 10, 10)
    yield columns(
        "Movies by decade", "By the year of the first release.",
        [(f"{decade}s", found.decades[decade]) for decade in decades], ("decade", "movies"),
    )  # fmt: skip
    yield _ranking(
        "Movies by genre", "A movie counts in each of its genres.", found.genres, ("genre", "movies")
    )
    yield _ranking("Movies by language", "By the original language.", found.languages, ("language", "movies"))
    yield _ranking(
        "Movies by country", "A movie counts in each country that produced it.", found.countries,
        ("country", "movies"),
    )  # fmt: skip
    yield _money(found)
    yield columns(
        "Runtime", f"By minutes, in classes of {RUNTIME_STEP}; the last has all from {LONGEST_RUNTIME} on.",
        [(str(minutes), found.runtimes[minutes]) for minutes in range(0, LONGEST_RUNTIME + 1, RUNTIME_STEP)],
        ("minutes from", "movies"),
    )  # fmt: skip
    yield columns(
        "Votes", "By the mean of the votes on TMDb, of the movies with any.",
        [("10" if vote == 10 else f"{vote}–{vote + 1}", found.votes[vote]) for vote in range(11)],
        ("mean vote", "movies"),
    )  # fmt: skip
    yield bars(
        "The best connected people", "With how many others each was in a cast.",
        [("", [Bar(one.name, one.others) for one in found.connected])], ("person", "others"),
    )  # fmt: skip
    yield _completeness(found)


def _money(found: Collected) -> Chart:
    """A grid of the classes from the least to the largest that occur."""
    budgets = _classes([budget for budget, _ in found.money])
    revenues = _classes([revenue for _, revenue in found.money])
    return cells(
        "Budget against revenue",
        "Movies by budget (from left to right) and revenue (from bottom to top), in dollars, where both are"
        " known. Each class begins at the amount beside it.",
        [short(budget.dollars) for budget in budgets],
        [short(revenue.dollars) for revenue in revenues],
        [[found.money[budget, revenue] for budget in budgets] for revenue in revenues],
        ("budget in $", "revenue in $"),
    )


def _classes(found: Sequence[Amount]) -> list[Amount]:
    if not found:
        return []
    powers = range(min(found).power, max(found).power + 1)
    every = [Amount(power, digit) for power in powers for digit in (1, 2, 5)]
    return [one for one in every if min(found) <= one <= max(found)]


def _completeness(found: Collected) -> Chart:
    shares = [(name, found.complete[name]) for name in FIELDS]
    ordered = sorted(shares, key=lambda share: -share[1])
    every = max(found.movies, 1)
    return bars(
        "How complete the records are", "The share of the movies in which each field says something.",
        [("", [Bar(name, count, f"{100 * count / every:.1f} %") for name, count in ordered])],
        ("field", "share of movies"),
    )  # fmt: skip


def _ranking(
    title: str, about: str, counts: Counter[str], heading: tuple[str, str], *, series: int = 1
) -> Chart:
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    shown = [Bar(name, count, series=series) for name, count in ordered[:LONGEST_LIST]]
    if rest := ordered[LONGEST_LIST:]:
        shown.append(Bar(f"{len(rest):,} others", sum(count for _, count in rest), series=0))
    return bars(title, about, [("", shown)], heading)
