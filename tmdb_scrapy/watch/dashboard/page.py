"""The page as it is when it is loaded: true without a script."""

from __future__ import annotations

from typing import Any

from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.queue import Heartbeat, Snapshot
from tmdb_scrapy.queue.states import ENDED
from tmdb_scrapy.watch.charts import Line, lines
from tmdb_scrapy.watch.dashboard.course import SPANS, Span, charts
from tmdb_scrapy.watch.dashboard.status import cells, clock, numbers, stale, texts
from tmdb_scrapy.watch.dashboard.stream import shape
from tmdb_scrapy.watch.figures import duration
from tmdb_scrapy.watch.markup import plain
from tmdb_scrapy.watch.sampler import INTERVAL_S, Sampler
from tmdb_scrapy.watch.templates import templates
from tmdb_scrapy.watch.waits import waits_for

LONGEST_TEXT = 300
"""Characters of a worker's error or of a reason that are shown."""
DONE = {
    "pause": "Paused: workers finish what they hold, and wait.",
    "resume": "Resumed.",
    "requeue": "What had failed is queued again.",
}


class Page:
    """Makes the page, and a worker's, of what a sampler has."""

    def __init__(self, sampler: Sampler, actions: bool) -> None:
        self._sampler = sampler
        self._actions = actions
        environment = templates("tmdb_scrapy.watch.dashboard", "assets")
        environment.filters["cut"] = _cut
        self._whole = environment.get_template("page.html")
        self._worker = environment.get_template("worker.html")

    def whole(self, span: str, done: str, now: float) -> str:
        """The page. `span`: name of the stretch of time that charts show; `done`: the action that was asked
        for just now, and its kind."""
        sample = self._sampler.sample
        chosen = SPANS.get(span) or next(iter(SPANS.values()))
        return self._whole.render(
            kinds=[self._kind(name, each, chosen, now) for name, each in sample.shown()],
            stale=stale(sample, now),
            shape=shape(self._sampler),
            at=sample.at,
            clock=clock(sample.at) if sample.at else "never",
            spans=SPANS,
            span=chosen,
            states=[state.label for state in ENDED],
            actions=self._actions,
            said=self._said(done),
        )

    def _said(self, done: str) -> str:
        """What was done just now, unless somebody has done otherwise since."""
        action, _, kind = done.partition("-")
        snapshot = self._sampler.sample.kinds.get(kind)
        if action not in DONE or snapshot is None:
            return ""
        if action in ("pause", "resume") and bool(snapshot.paused_since) != (action == "pause"):
            return ""
        return f"{kind}: {DONE[action]}"

    def worker(self, kind: str, name: str, now: float) -> str | None:
        """The page of a worker; None for one that does not live."""
        snapshot = self._sampler.sample.kinds.get(kind)
        found = next((each for each in snapshot.workers if each.name == name), None) if snapshot else None
        if found is None:
            return None
        rates = self._sampler.rates.get(name, ())
        times = [now - INTERVAL_S * ago for ago in range(len(rates) - 1, -1, -1)]
        chart = lines(
            "Answers a second", "Of this worker, over the last five minutes.", times,
            [Line("answers", list(rates))], "1/s",
        )  # fmt: skip
        return self._worker.render(kind=kind, worker=found, facts=_facts(found, now), chart=chart)

    def _kind(self, name: str, snapshot: Snapshot, span: Span, now: float) -> dict[str, Any]:
        kind, sample = KINDS[name], self._sampler.sample
        return {
            "name": name,
            "singular": kind.singular,
            "numbers": numbers(snapshot),
            "texts": texts(snapshot, sample, name, now),
            "charts": charts(name, self._sampler.minutes[name], span, now),
            "workers": [(worker, cells(worker, now)) for worker in snapshot.workers],
            "lost": snapshot.lost,
            "gone": [
                (each.last, duration(now - each.since), snapshot.lost.get(each.last.name, 0))
                for each in reversed(self._sampler.gone[name].values())
            ],
            "failures": [(each, kind.web_page(each), why) for each, why in sorted(snapshot.failures.items())],
            "paused": bool(snapshot.paused_since),
        }


def _facts(worker: Heartbeat, now: float) -> list[tuple[str, str]]:
    settled = ", ".join(f"{label} {count:,}" for label, count in sorted(worker.outcomes.items()))
    return [
        ("host", worker.host),
        ("process", str(worker.pid)),
        ("state", worker.state),
        ("running for", duration(max(now - worker.started_at, 0.0))),
        ("answers", f"{worker.answers:,}"),
        ("of status 429", f"{worker.throttled:,}"),
        ("allowed", f"{worker.allowed_per_s:,.1f}/s"),
        ("on the wire", f"{worker.in_flight:,}"),
        ("leased", f"{worker.leased:,}"),
        ("settled", settled or "nothing yet"),
        ("memory", f"{worker.memory_bytes / 1e6:,.0f} MB"),
        ("last seen", f"{max(now - worker.seen_at, 0.0):.0f} s ago"),
        ("waits for", _cut(waits_for(worker)) or "nothing"),
    ]


def _cut(text: str) -> str:
    return plain(text, LONGEST_TEXT)
