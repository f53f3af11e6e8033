"""On a machine that is shared: another user tries what he can while a crawl runs, and after it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from crawl import API_KEY, Crawl
from needs import needs
from ports import quiet_port
from waiting import wait_until

from tmdb_scrapy.own_redis import PASSWORD

ATTACK = Path(__file__).parent / "attack.py"
JOB = ["sh", "-c", f"umask 0; exec {sys.executable} -m scrapy job movies"]
"""As `make crawl` does it, with the worst umask that its user can have."""


@pytest.fixture
def open_place() -> Iterator[Path]:
    """A directory that everybody may enter, as a home often is."""
    with tempfile.TemporaryDirectory(prefix="shared-machine-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def achieved_by_nobody(crawl: Crawl, port: int, secrets: list[bytes]) -> list[str]:
    ended = subprocess.run(
        [sys.executable, str(ATTACK), str(crawl.directory), str(port)],
        input=b"\n".join(secrets), capture_output=True, check=False, timeout=120, cwd="/", env={},
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr.decode()
    return ended.stdout.decode().splitlines()


@pytest.mark.slow
def test_another_user_reads_nothing_writes_nothing_and_gets_in_nowhere(open_place: Path) -> None:
    needs("" if os.geteuid() == 0 else "another user to be (this needs root)")
    port = quiet_port()
    url = f"redis://127.0.0.1:{port}/0"
    with Crawl(open_place / "project", ["--movies", "400"], RATE_LIMIT="80", REDIS_URL=url) as crawl:
        job = crawl.start_command(JOB)
        try:
            parts = crawl.data / "movies" / "parts"
            wait_until(
                lambda: any(each.stat().st_size for each in parts.glob("*.jsonl")), "lines are written", 40
            )
            secrets = [
                API_KEY.encode(),
                (crawl.directory / ".redis" / PASSWORD).read_bytes(),
                (crawl.data / "console.password").read_bytes(),
            ]
            during = achieved_by_nobody(crawl, port, secrets)
            assert job.wait() == 0, job.output
            after = achieved_by_nobody(crawl, port, secrets)
        finally:
            crawl.scrapy("redis", "stop")
    assert [line for line in [*during, *after] if not _is_meant(line)] == []


def _is_meant(line: str) -> bool:
    """Results are as their user's umask says, and his was 0; but nobody else puts files beside them. The
    job's output is this test's own."""
    place = Path(line.split()[-1])
    is_result = line.startswith("may write ") and place.suffix in {".jsonl", ".index", ".html"}
    return is_result or place.name.startswith("worker-")
