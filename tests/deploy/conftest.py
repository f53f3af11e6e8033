"""A fleet on this machine: each host a directory, what is for hosts is called in this process; and an eye on
what a test starts."""

from __future__ import annotations

import inspect
import io
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.fleet import Fleet
from deploy.on_host import workspace
from deploy.ssh.failures import HostFailure
from deploy.ssh.hosts import Host
from tmdb_scrapy.config import Config

_on = threading.local()


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[subprocess.Popen[bytes]]]:
    """All processes that this test starts; they are ended afterwards."""
    processes: list[subprocess.Popen[bytes]] = []

    class Watched(subprocess.Popen[bytes]):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            processes.append(self)

    monkeypatch.setattr(subprocess, "Popen", Watched)
    yield processes
    for process in processes:
        process.kill()
        process.wait()


class HereCalls:
    """Calls functions of `deploy.on_host` as if on a host."""

    def __init__(self, host: Host, directory: Path | None) -> None:
        self.host = host
        self.directory = directory

    def with_payload(
        self, payload: Iterable[bytes], _: float, function: Callable[..., Any], **arguments: Any
    ) -> Any:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"".join(payload))))
            return self.call(function, **arguments)

    def call(self, function: Callable[..., Any], **arguments: Any) -> Any:
        if self.directory is None:
            raise TimeoutError
        _on.host = self.host.address
        takes = inspect.signature(function).parameters
        where = {"working_dir": str(self.directory)} if "working_dir" in takes else {}
        try:
            return function(**{**arguments, **where})
        except workspace.Problem as problem:
            raise HostFailure(str(problem), problem.advice) from None
        finally:
            _on.host = None


class HereFleet(Fleet):
    """`directories` says where each host's working directory is; a host that is not in it does not answer."""

    def __init__(self, directories: dict[str, Path], listed: str, main: str = "", chosen: str = "") -> None:
        self.directories = directories
        hosts = [Host(name) for name in listed.split()]
        config = Config.load({"REMOTE_WORKING_DIR": "~/tmdb"}, Path("/nowhere"))
        super().__init__(
            config,
            [Host(name) for name in chosen.split()] or hosts,
            Host(main) if main else None,
            hosts,
            narrowed=bool(chosen),
        )

    def calls(self, host: Host) -> Any:
        return HereCalls(host, self.directories.get(host.address))


@pytest.fixture
def fleet_here(monkeypatch: pytest.MonkeyPatch) -> type[HereFleet]:
    """`HereFleet`, its hosts' names being their addresses."""
    monkeypatch.setattr(workspace, "hostname", lambda: _on.host)
    return HereFleet
