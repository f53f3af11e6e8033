"""Starting, announcing and stopping."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tmdb_scrapy.sandbox.server.process import SandboxError, SandboxProcess


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_prints_one_line_and_exits_0_when_told_to_stop(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "tmdb_scrapy.sandbox"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        first = process.stdout.readline()
        process.send_signal(number)
        rest, errors = process.communicate(timeout=10)
    assert first.startswith("sandbox: http://127.0.0.1:")
    assert (rest, errors, process.returncode) == ("", "", 0)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A directory where `scrapy sandbox` can be called, with a .env that no other command takes."""
    (tmp_path / "scrapy.cfg").write_text("[settings]\ndefault = only_commands\n")
    (tmp_path / "only_commands.py").write_text('COMMANDS_MODULE = "tmdb_scrapy.commands"\n')
    (tmp_path / ".env").write_text("THREADS=many\n")
    return tmp_path


def test_scrapy_sandbox_is_the_same_and_needs_no_valid_env(project: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "scrapy", "sandbox", "--movies", "30"],
        cwd=project,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        process.wait(10)
    assert line.startswith("sandbox: http://127.0.0.1:") and process.returncode == 0


def test_scrapy_sandbox_does_not_serve_something_else_for_a_misspelt_option(project: Path) -> None:
    refused = subprocess.run(
        [sys.executable, "-m", "scrapy", "sandbox", "--moives", "5"],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == "tmdb: what is '--moives 5' for? See --help\n"


def test_the_port_can_be_chosen_and_taken_again_after_a_stop() -> None:
    with SandboxProcess(["--movies", "30"]) as first:
        port = first.url.rpartition(":")[2]
    with SandboxProcess(["--movies", "30", "--port", port]) as second:
        assert second.url == first.url


def test_a_taken_port_is_a_clear_error() -> None:
    with (
        SandboxProcess(["--movies", "30"]) as first,
        pytest.raises(SandboxError, match="address already in use"),
    ):
        SandboxProcess(["--port", first.url.rpartition(":")[2]]).start()


def test_a_missing_catalogue_is_named(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match=r"absent\.jsonl"):
        SandboxProcess(["--catalogue", str(tmp_path / "absent.jsonl")]).start()


def test_a_stop_does_not_wait_for_a_large_export() -> None:
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    with SandboxProcess(["--movies", "5000000"]) as sandbox:
        where = urlsplit(f"{sandbox.export_url}/movie_ids_{yesterday:%m_%d_%Y}.json.gz")
        with socket.create_connection(("127.0.0.1", where.port or 0)) as connection:
            connection.sendall(f"GET {where.path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            sandbox.stats()  # answered on another connection while the file is being made
            assert sandbox.stop() == 0
