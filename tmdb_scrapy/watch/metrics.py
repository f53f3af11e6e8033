"""What Prometheus reads: every family, made of one sample, so that nothing of the dead lives on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

import tmdb_scrapy
from tmdb_scrapy.queue import Heartbeat, Snapshot
from tmdb_scrapy.queue.heartbeat import DURATION_BOUNDS_S
from tmdb_scrapy.queue.states import ENDED
from tmdb_scrapy.watch.sampler import Sample

WORKER = ("kind", "host", "worker")
WORKER_STATES = ("crawling", "waiting", "paused", "probing", "stopping", "unreadable")
BOUNDS = [*map(str, DURATION_BOUNDS_S), "+Inf"]

Labelled = Iterable[tuple[Sequence[str], float]]
"""Pairs of labels and a value."""


class SampleCollector(Collector):
    """Makes the families of whatever sample is the latest."""

    def __init__(self, sample: Callable[[], Sample]) -> None:
        self._sample = sample

    def collect(self) -> Iterator[Metric]:
        sample = self._sample()
        yield GaugeMetricFamily(
            "tmdb_redis_up", "Whether Redis was read at the last try, two seconds ago at most.",
            float(bool(sample.at) and not sample.trouble),
        )  # fmt: skip
        yield InfoMetricFamily(
            "tmdb_build", "The program that tells this.", {"version": tmdb_scrapy.__version__}
        )
        # Of a Redis that is away nothing is known: no figures rather than old ones.
        yield from _of_kinds(Sample() if sample.trouble else sample)
        yield from _of_workers(Sample() if sample.trouble else sample)


def exposition(sample: Callable[[], Sample], accept: str) -> tuple[bytes, str]:
    """The text and its content type, in the format that suits the header `Accept`."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(SampleCollector(sample))
    encoder, content_type = choose_encoder(accept)
    return encoder(registry), content_type


def _of_kinds(sample: Sample) -> Iterator[Metric]:
    kinds = dict(sample.shown())
    states = {"queued": lambda each: each.queued} | {
        state.label: (lambda each, state=state: each.of(state)) for state in ENDED
    }
    yield _gauge(
        "tmdb_ids", "IDs by state; together every ID that was ever seeded.", ("kind", "state"),
        (((name, state), count(each)) for name, each in kinds.items() for state, count in states.items()),
    )  # fmt: skip
    yield _gauge(
        "tmdb_ids_dropped", "Dropped IDs by the reason of the filter.", ("kind", "reason"),
        (((name, reason), n) for name, each in kinds.items() for reason, n in each.dropped.items()),
    )  # fmt: skip
    yield _gauge(
        "tmdb_leases", "Queued IDs that some worker has claimed.", ("kind",),
        (((name,), each.leased) for name, each in kinds.items()),
    )  # fmt: skip
    yield _gauge(
        "tmdb_paused", "1 while the workers of the kind are told to wait, by scrapy pause.", ("kind",),
        (((name,), float(bool(each.paused_since))) for name, each in kinds.items()),
    )  # fmt: skip
    yield _gauge(
        "tmdb_workers", "Workers by state; gone ones have left leases.", ("kind", "state"),
        (((name, state), n) for name, each in kinds.items() for state, n in _workers_by_state(each)),
    )  # fmt: skip
    yield _gauge(
        "tmdb_last_update_timestamp_seconds", "When `scrapy update` last ended well.", ("kind",),
        (((name,), each.updated_at) for name, each in kinds.items() if each.updated_at),
    )  # fmt: skip
    yield _gauge(
        "tmdb_oldest_record_age_seconds", "How long ago the oldest record was fetched.", ("kind",),
        (((name,), sample.at - at) for name, at in sample.oldest.items()),
    )  # fmt: skip


def _workers_by_state(snapshot: Snapshot) -> Iterator[tuple[str, int]]:
    for state in WORKER_STATES:
        yield state, sum(worker.state == state for worker in snapshot.workers)
    yield "gone", len(snapshot.lost)


def _of_workers(sample: Sample) -> Iterator[Metric]:
    workers = [(kind, worker) for kind, each in sample.kinds.items() for worker in each.workers]

    def each(figure: Callable[[Heartbeat], float]) -> Labelled:
        return [((kind, worker.host, worker.name), figure(worker)) for kind, worker in workers]

    yield _counter("tmdb_worker_answers", "Answers of the API.", each(lambda w: w.answers))
    yield _counter("tmdb_worker_throttled", "Answers of status 429.", each(lambda w: w.throttled))
    yield _counter("tmdb_worker_settled", "IDs that ended.", each(lambda w: sum(w.outcomes.values())))
    yield _gauge("tmdb_worker_in_flight", "Requests on the wire.", WORKER, each(lambda w: w.in_flight))
    yield _gauge(
        "tmdb_worker_allowed_per_second", "Requests that the rate governor allows.", WORKER,
        each(lambda w: w.allowed_per_s),
    )  # fmt: skip
    yield _gauge("tmdb_worker_memory_bytes", "Resident memory.", WORKER, each(lambda w: w.memory_bytes))
    yield _gauge(
        "tmdb_worker_last_seen_timestamp_seconds", "When it wrote its last heartbeat.", WORKER,
        each(lambda w: w.seen_at),
    )  # fmt: skip
    durations = HistogramMetricFamily(
        "tmdb_request_duration_seconds", "How long the API took to answer.", labels=WORKER
    )
    for kind, worker in workers:
        if len(worker.durations) == len(BOUNDS):
            buckets = list(zip(BOUNDS, accumulate(worker.durations), strict=True))
            durations.add_metric([kind, worker.host, worker.name], buckets, worker.duration_total_s)
    yield durations


def _gauge(name: str, meaning: str, labels: Sequence[str], values: Labelled) -> Metric:
    family = GaugeMetricFamily(name, meaning, labels=labels)
    for told, value in values:
        family.add_metric(told, value)
    return family


def _counter(name: str, meaning: str, values: Labelled) -> Metric:
    family = CounterMetricFamily(name, meaning, labels=WORKER)
    for told, value in values:
        family.add_metric(told, value)
    return family
