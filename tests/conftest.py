"""What all tests share: a Redis of their own, and environments that nothing leaks into."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import redis
from crawlers import crawler_of
from environments import bare_environment
from foreign_redis import ForeignRedis
from hypothesis import settings
from ports import nobody_listens
from scrapy import Spider
from scrapy.crawler import Crawler

from tmdb_scrapy.config import Config
from tmdb_scrapy.spiders.of_kinds import SPIDERS

API_KEY = "0123456789abcdef" * 2
FIGURE = "figure"
"""Name of the property of a test that holds a measured figure."""

# A deadline for each example would measure the machine, not the code; the test's own time limit remains.
settings.register_profile("tests", deadline=None, database=None)
settings.load_profile("tests")


# What a shell starts in the background has to ignore Ctrl-C, and under nohup a closed terminal too, and hands
# that down to what the tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The slow ones first, so that several processes end at about the same time."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was measured, after the dots."""
    reports = [report for kind in terminalreporter.stats.values() for report in kind]
    lines = [
        line for report in reports if isinstance(report, pytest.TestReport) and report.when == "call"
        for name, line in report.user_properties if name == FIGURE
    ]  # fmt: skip
    if lines:
        terminalreporter.section("figures")
        for line in lines:
            terminalreporter.line(str(line))


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Notes a line for the summary, wherever the test runs."""
    return lambda line: request.node.user_properties.append((FIGURE, line))


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForeignRedis]:
    """A real Redis of this test run, on a loopback port."""
    server = ForeignRedis.on_free_port(tmp_path_factory.mktemp("redis"))
    yield server
    server.stop()


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A loopback port that refuses connections."""
    with nobody_listens() as port:
        yield port


@pytest.fixture
def redis_url(redis_server: ForeignRedis) -> str:
    """The address of an empty database."""
    url = str(redis_server.url)
    with redis.Redis.from_url(url) as client:
        client.flushall()
    return url


@pytest.fixture
def environment(tmp_path: Path, redis_url: str) -> dict[str, str]:
    """The environment of a user who has configured nothing but a key, a Redis and a data directory.

    For processes that are started with `cwd=tmp_path`, where no `.env` lies.
    """
    home = tmp_path / "home"
    home.mkdir()
    return {
        **bare_environment(home),
        "TMDB_API_KEY": API_KEY,
        "DATA_DIR": str(tmp_path / "data"),
        "REDIS_URL": redis_url,
    }


@pytest.fixture
def as_user(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> pytest.MonkeyPatch:
    """This process has that user's environment alone, and works where no `.env` lies; sets more of it."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.fixture
def config(environment: dict[str, str], tmp_path: Path) -> Config:
    """The configuration of that user."""
    return Config.load(environment, tmp_path / ".env")


@pytest.fixture
def make_crawler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Crawler]:
    """Makes a crawler with the project's settings, which does not run. `variables` are keys of `.env`."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        monkeypatch.delenv(name)

    def made(
        settings: Mapping[str, Any] | None = None,
        spider_class: type[Spider] = SPIDERS["movies"],
        **variables: str,
    ) -> Crawler:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return crawler_of(spider_class, settings)

    return made
