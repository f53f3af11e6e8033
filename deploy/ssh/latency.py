"""How far a host is, as SSH sees it."""

from __future__ import annotations

import time

from fabric import Connection

from deploy.ssh.deadline import deadline

REQUEST = "latency@tmdb-scrapy"
ROUNDS = 3
TIMEOUT_S = 10.0


def measure(connection: Connection) -> float:
    """Seconds from here to the host's sshd and back, the best of a few; no process is started for it. Raises
    `TimeoutError` when it falls silent.

    A global request that sshd does not know gets a refusal (RFC 4254, section 4), which is an answer too.
    """
    connection.open()
    best_s = float("inf")
    for _ in range(ROUNDS):
        before = time.perf_counter()
        with deadline(connection.transport, TIMEOUT_S):
            connection.transport.global_request(REQUEST, wait=True)
        best_s = min(best_s, time.perf_counter() - before)
    return best_s
