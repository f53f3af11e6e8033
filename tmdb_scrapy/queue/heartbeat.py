"""What a worker tells the others every two seconds."""

from __future__ import annotations

import time
from typing import Annotated

import msgspec

DURATION_BOUNDS_S = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the classes in which workers count how long answers took."""
LATEST = 253_402_300_799.0
"""Seconds since the epoch of the last moment that has a date (9999-12-31); what is later nobody can show."""

Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Amount = Annotated[float, msgspec.Meta(ge=0, le=1e15)]
Moment = Annotated[float, msgspec.Meta(ge=0, le=LATEST)]
"""Seconds since the epoch."""


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True):
    """The value of a ``{kind}:worker:<name>`` key, as JSON."""

    name: str
    """The worker, which is also its consumer in the queue's group and the stem of its part file."""
    host: str
    """Name of the machine, for people."""
    machine: str = ""
    """What tells the machine from others: its workers share an address, and so a limit per address."""
    pid: Count
    state: str
    """crawling, waiting (nothing to lease), paused (by `scrapy pause`), probing (the API is down, and asked
    now and then whether it is back) or stopping; others call one of another release unreadable."""
    rate_per_s: Amount = 0.0
    """Answers a second, since the heartbeat before."""
    allowed_per_s: Amount = 0.0
    """What the rate governor allows at present."""
    in_use: bool = False
    """Whether the governor's rate is what holds the worker back."""
    in_flight: Count = 0
    """Requests on the wire or waiting for their turn."""
    leased: Count = 0
    outcomes: dict[str, Count] = {}
    """How many IDs this worker settled, by label of the state."""
    answers: Count = 0
    """Of any kind, since the worker started."""
    durations: list[Count] = []
    """How many of them took how long, by `DURATION_BOUNDS_S`; the last for what took longer."""
    duration_total_s: Amount = 0.0
    throttled: Count = 0
    """Answers that said 429."""
    silent_until: Moment = 0.0
    """Until when a Retry-After keeps it silent, in seconds since the epoch; 0 when it may send."""
    memory_bytes: Count = 0
    """Resident memory."""
    last_error: str = ""
    """What it waits for, or why it stops: an outage, what stands in the way, a Redis that is away."""
    started_at: Moment = 0.0
    seen_at: Moment = 0.0
    """By the worker's own clock."""


def read(name: str, value: bytes) -> Heartbeat:
    """What a worker says of itself. One that cannot be understood lives all the same."""
    try:
        heartbeat = msgspec.json.decode(value, type=Heartbeat)
        if heartbeat.name != name:
            raise msgspec.DecodeError("it bears another's name")
        return heartbeat
    except msgspec.DecodeError as error:
        return Heartbeat(
            name=name, host=name, pid=0, state="unreadable", seen_at=time.time(),
            last_error=f"its heartbeat cannot be read ({error}): is it of another release?",
        )  # fmt: skip
