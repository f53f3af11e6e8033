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
from serving import dashboard

Refused = Callable[..., tuple[int, str]]
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


@pytest.fixture
def refused(environment: dict[str, str], tmp_path: Path) -> Refused:
    """`refused("--host", "::", DASHBOARD_TOKEN="")` answers the exit code and what was said."""

    def ended(*options: str, **variables: str) -> tuple[int, str]:
        ran = subprocess.run(
            [*COMMAND, *options], cwd=tmp_path, env=environment | variables, capture_output=True, text=True
        )
        return ran.returncode, ran.stderr

    return ended


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
def test_other_machines_are_not_let_in_without_a_token(refused: Refused, host: str) -> None:
    assert refused("--host", host) == (
        2,
        f"tmdb: --host {host} lets other machines in: set DASHBOARD_TOKEN first (in .env)\n",
    )


def test_a_port_that_is_taken_says_so(refused: Refused) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, said = refused("--port", port)
    assert code == 1
    assert said.startswith(f"tmdb: port {port} of 127.0.0.1: ")


def test_a_host_that_is_none_says_so(refused: Refused) -> None:
    code, said = refused("--host", "nowhere.invalid", DASHBOARD_TOKEN="t")
    assert code == 1
    assert said.startswith("tmdb: port 8632 of nowhere.invalid: ")


def test_what_is_wrong_with_the_configuration_is_said_once(refused: Refused) -> None:
    code, said = refused(RATE_LIMIT="fast")
    assert code == 2
    assert said.count("RATE_LIMIT='fast'") == 1


def test_the_server_hears_what_the_command_line_set(environment: dict[str, str], tmp_path: Path) -> None:
    """Else it would refuse the environment's value, which the command line had replaced."""
    with dashboard({**environment, "RATE_LIMIT": "fast"}, tmp_path, "-s", "RATE_LIMIT=5"):
        pass
