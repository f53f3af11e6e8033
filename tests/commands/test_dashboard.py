"""``scrapy dashboard`` as a process: where it listens, what it refuses, how it ends."""

from __future__ import annotations

import http.client
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Invoke = Callable[..., int]
COMMAND = [sys.executable, "-m", "scrapy", "dashboard"]


@pytest.fixture
def served(environment: dict[str, str], tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A dashboard on a free port."""
    process = subprocess.Popen(
        [*COMMAND, "--port", "0"], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    found = re.fullmatch(r"dashboard at http://127\.0\.0\.1:(\d+)/\n", process.stdout.readline())
    assert found
    yield process, int(found[1])
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_it_ends_at_once_although_a_stream_is_open(
    served: tuple[subprocess.Popen[str], int], number: signal.Signals
) -> None:
    process, port = served
    viewer = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    viewer.request("GET", "/events")
    response = viewer.getresponse()
    assert response.readline().startswith(b"data: ")
    started = time.monotonic()
    process.send_signal(number)
    assert process.wait(30) == 0
    assert time.monotonic() - started < 10
    response.close()
    viewer.close()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_other_machines_are_not_let_in_without_a_token(
    invoke: Invoke, capsys: pytest.CaptureFixture[str], host: str
) -> None:
    assert invoke("dashboard", "--host", host) == 2
    assert "set DASHBOARD_TOKEN first" in capsys.readouterr().err


def test_a_port_that_is_taken_says_so(invoke: Invoke, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert invoke("dashboard", "--port", port) == 1
    assert f"port {port} of 127.0.0.1" in capsys.readouterr().err
