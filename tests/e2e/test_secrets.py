"""The API key is on the wire and nowhere else, however badly things go."""

from __future__ import annotations

import base64
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from crawl import Crawl
from waiting import wait_until

V3_KEY = "5ca1ab1e0ddba11c0ffee0defaced123"
V4_TOKEN = (
    "eyJhbGciOiJIUzI1NiJ9.eyJhdWQiOiI1Y2ExYWIxZTBkZGJhMTFjIiwic2NvcGVzIjpbImFwaV9yZWFkIl19."
    "Zm9yX3RoZV90ZXN0X29ubHlfbm90X2Ffc2lnbmF0dXJl"
)
PASSWORD = "correct-horse-battery"
FAULTS = ("reset=0.05", "truncate=0.05", "hang=0.03", "malformed=0.04", "html=0.04", "500=0.04")


@pytest.mark.parametrize("key", [V3_KEY, V4_TOKEN], ids=["v3 key", "v4 token"])
def test_the_key_is_nowhere(crawl: Callable[..., Crawl], key: str) -> None:
    faults = [option for fault in FAULTS for option in ("--fault", fault)]
    talkative = crawl("--movies", "300", *faults, TMDB_API_KEY=key, FILTER="off")
    talkative.seed("-L", "DEBUG")
    with watched_command_lines() as command_lines:
        # Without retries, each failure is put into words.
        talkative.start(2, "-L", "DEBUG", "-s", "DOWNLOAD_TIMEOUT=1", "-s", "RETRY_TIMES=0")
        talkative.finish()
        assert talkative.scrapy("retry", "movies").code == 0
        (worker,) = talkative.start(1, "-L", "DEBUG", "-s", "DOWNLOAD_TIMEOUT=1", RATE_LIMIT="20")
        talkative.await_settled(200)
        talkative.stop_sandbox()
        worker.says("seems to be down")
        worker.send(signal.SIGTERM)
        assert worker.wait() == 130
        talkative.start_sandbox()
        talkative.start(1, "-L", "DEBUG", "-s", "DOWNLOAD_TIMEOUT=1")
        talkative.scrapy("status", "movies")
        talkative.finish()
    talkative.assert_exact()
    assert str(worker.process.pid) in command_lines
    said = "".join(worker.output for worker in talkative.workers)
    assert "DEBUG: Crawled (200)" in said, "the log is not talkative enough to prove anything"
    assert "took longer than 1 s" in said
    assert "DownloadFailedError" in said

    for form in _forms(key):
        assert form not in said
        assert not [line for line in command_lines.values() if form in line]
        # Logs, parts, merged file, exports; Redis's append-only file has every command it ever got.
        found = [path for path in _files(talkative.directory) if form.encode() in path.read_bytes()]
        assert not found
    assert {entry.key for entry in talkative.journal()} == {key}


def test_the_key_is_not_in_the_words_of_a_failing_command(crawl: Callable[..., Crawl]) -> None:
    refused = crawl("--movies", "20", "--suspended-key", V3_KEY, TMDB_API_KEY=V3_KEY)
    refused.seed()
    for ended in (
        refused.scrapy("crawl", "movies", "-L", "DEBUG"),
        refused.scrapy("job", "movies"),
        refused.scrapy("crawl", "movies", TMDB_API_KEY=f"{V3_KEY}x"),
        refused.scrapy("settings", "--get", "TMDB_API_KEY"),
        refused.scrapy("crawl", "movies", "-L", "DEBUG", TMDB_API_URL="https://127.0.0.1:1/3", REDIS_URL="x"),
    ):
        assert V3_KEY[:12] not in ended.output, ended


def test_redis_password_and_data_are_for_their_owner_alone(crawl: Callable[..., Crawl]) -> None:
    owner = crawl("--movies", "20")
    url = owner.environment["REDIS_URL"].replace("redis://", f"redis://:{PASSWORD}@")
    owner.redis.config_set("requirepass", PASSWORD)
    with watched_command_lines() as command_lines:
        outputs = [
            owner.scrapy("seed", "movies", "-L", "DEBUG", REDIS_URL=url).output,
            owner.scrapy("crawl", "movies", "-L", "DEBUG", REDIS_URL=url).output,
            owner.scrapy("status", "movies", REDIS_URL=url).output,
            owner.scrapy("audit", "movies", REDIS_URL=url.replace(PASSWORD, "wrong")).output,
        ]
    assert "refused the password" in outputs[-1]
    assert PASSWORD not in "".join([*outputs, *command_lines.values()])
    redis_files = list(owner.redis_server.directory.iterdir())
    assert owner.redis_server.directory.stat().st_mode & 0o077 == 0
    assert (owner.redis_server.directory / "redis.conf").stat().st_mode & 0o077 == 0, redis_files


def _forms(key: str) -> Iterator[str]:
    """The key, its beginning, its end, and as basic authentication or a careless dump would have it."""
    yield key
    yield key[:12]
    yield key[-12:]
    yield base64.b64encode(key.encode()).decode().rstrip("=")
    yield key.encode().hex()


def _files(directory: Path) -> Iterator[Path]:
    return (path for path in directory.rglob("*") if path.is_file())


@contextmanager
def watched_command_lines() -> Iterator[dict[str, str]]:
    """Collects the command lines of all processes that this one starts meanwhile, by process ID."""
    seen: dict[str, str] = {}
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.05):
            for process in psutil.Process(os.getpid()).children(recursive=True):
                try:
                    seen[str(process.pid)] = " ".join(process.cmdline())
                except psutil.Error:
                    continue

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
        wait_until(lambda: seen, "some process was seen")
    finally:
        over.set()
        watcher.join()
