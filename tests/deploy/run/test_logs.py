"""deploy.run.logs: lines of all hosts, and hosts that give none."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from rich.console import Console

from deploy.run.logs import LogFollowing
from deploy.ssh.failures import HostFailure
from deploy.ssh.hosts import Host


class Streams:
    """A host's side: what its logs say, then what becomes of the connection."""

    def __init__(self, *said: bytes, end: BaseException | None = None) -> None:
        self.said = said
        self.end = end

    @contextmanager
    def stream(self, *_: object, **__: object) -> Iterator[Iterator[bytes]]:
        def blocks() -> Iterator[bytes]:
            yield from self.said
            if self.end is not None:
                raise self.end

        yield blocks()


@pytest.fixture
def following(fleet_here: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """A `LogFollowing` of hosts that stream, and what it has printed."""

    def make(**hosts: Streams) -> tuple[LogFollowing, io.StringIO]:
        fleet, printed = fleet_here({}, " ".join(hosts)), io.StringIO()
        monkeypatch.setattr(fleet, "calls", lambda host: hosts[host.address])
        return LogFollowing(fleet, Console(file=printed, soft_wrap=True)), printed

    return make


def test_lines_are_shown_whole_with_their_host(following: Callable[..., Any]) -> None:
    run, printed = following(a=Streams(b"movies-1 one\nmovies-1 t", b"wo\nunfinished"))
    run.follow(20, go_on=True)
    assert printed.getvalue().splitlines() == ["a movies-1 one", "a movies-1 two"]
    assert run.results == {Host("a"): 2}


def test_an_unreachable_host_is_told_at_once_and_when_the_user_has_enough(
    following: Callable[..., Any],
) -> None:
    run, printed = following(gone=Streams(end=TimeoutError()), a=Streams(b"one\n", end=KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        run.follow(20, go_on=True)
    assert "gone: no answer in time" in printed.getvalue()
    assert run.results[Host("a")] == 1
    assert isinstance(run.results[Host("gone")], HostFailure)
