"""The same work on every host at once, bounded; one host's failure never stops another's work."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from deploy.ssh.failures import HostFailure, translate
from deploy.ssh.hosts import Host

MOST_AT_ONCE = 100
"""A thread and a connection each: 70 hosts take as long as the slowest of them."""

Result = TypeVar("Result")


def on_each(
    hosts: Iterable[Host], work: Callable[[Host], Result], most_at_once: int = MOST_AT_ONCE
) -> dict[Host, Result | HostFailure]:
    """`work(host)` for all hosts, at most `most_at_once` at a time: host → result or failure, in the order
    of `hosts`."""

    def attempt(host: Host) -> Result | HostFailure:
        try:
            return work(host)
        except Exception as error:
            return translate(error, host)

    ordered = list(hosts)
    pool = ThreadPoolExecutor(max_workers=max(1, min(most_at_once, len(ordered))))
    try:
        return dict(zip(ordered, pool.map(attempt, ordered), strict=True))
    finally:
        # After an interrupt, those at work end when their connections close; none is begun any more.
        pool.shutdown(wait=False, cancel_futures=True)


def succeeded(results: dict[Host, Result | HostFailure]) -> dict[Host, Result]:
    """The results that are not failures."""
    return {host: result for host, result in results.items() if not isinstance(result, HostFailure)}


def failed(results: dict[Host, Result | HostFailure]) -> dict[Host, HostFailure]:
    """The failures."""
    return {host: result for host, result in results.items() if isinstance(result, HostFailure)}
