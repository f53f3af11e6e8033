"""A limit for what the SSH library waits for without end: a host that took the question and fell silent."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from paramiko import Transport


@contextmanager
def deadline(transport: Transport, seconds: float) -> Iterator[None]:
    """Raises `TimeoutError` when the block takes longer than `seconds`, by closing its connection."""
    expired = threading.Event()

    def give_up() -> None:
        expired.set()
        transport.close()

    timer = threading.Timer(seconds, give_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    except Exception:
        if not expired.is_set():
            raise
    finally:
        timer.cancel()
    if expired.is_set():
        raise TimeoutError(f"no answer within {seconds:.0f} s")
