"""What a worker takes of the machine's and the fleet's rate, by the heartbeats that it sees."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest
from scrapy.utils.test import get_crawler

from tmdb_scrapy import settings as page
from tmdb_scrapy.extensions.heartbeat import HeartbeatExtension
from tmdb_scrapy.pacing.extension import PacingExtension
from tmdb_scrapy.queue import Heartbeat
from tmdb_scrapy.spiders.of_kinds import SPIDERS

SETTINGS = {name: getattr(page, name) for name in dir(page) if name.isupper()}

Beating = Callable[..., Any]


@pytest.fixture
def beating(as_user: pytest.MonkeyPatch) -> Beating:
    """Makes a heartbeat extension with its crawler, which does not run."""

    def made(**variables: str) -> HeartbeatExtension:
        for name, value in variables.items():
            as_user.setenv(name, value)
        crawler = get_crawler(SPIDERS["movies"], {**SETTINGS, "ASYNCIO_EVENT_LOOP": None})
        crawler.spider = SPIDERS["movies"].from_crawler(crawler)
        extension = crawler.get_extension(HeartbeatExtension)
        assert extension is not None
        return extension

    return made


def workers(here: int, elsewhere: int = 0) -> list[Heartbeat]:
    hosts = [socket.gethostname()] * here + ["elsewhere"] * elsewhere
    return [
        Heartbeat(name=f"worker-{number}", host=host, pid=number, state="crawling")
        for number, host in enumerate(hosts)
    ]


def cap_per_s(extension: HeartbeatExtension, peers: list[Heartbeat]) -> float:
    extension._share(peers)
    return PacingExtension.pacing_of(extension._crawler).governor.pace.cap_per_s


@pytest.mark.parametrize(
    ("here", "elsewhere", "settings", "expected_per_s"),
    [
        (1, 0, {"RATE_LIMIT": "40", "PROCESSES": "1"}, 40),
        (2, 0, {"RATE_LIMIT": "40", "PROCESSES": "1"}, 20),
        (1, 0, {"RATE_LIMIT": "40", "PROCESSES": "4"}, 10),
        (1, 5, {"RATE_LIMIT": "40", "PROCESSES": "1"}, 40),
        (1, 3, {"RATE_LIMIT": "40", "PROCESSES": "1", "FLEET_RATE_LIMIT": "60"}, 15),
        (4, 0, {"RATE_LIMIT": "0", "PROCESSES": "4"}, 0),
        (2, 2, {"RATE_LIMIT": "0", "PROCESSES": "2", "FLEET_RATE_LIMIT": "50"}, 12.5),
    ],
)
def test_a_worker_takes_its_share_of_each_limit(
    beating: Beating, here: int, elsewhere: int, settings: dict[str, str], expected_per_s: float
) -> None:
    assert cap_per_s(beating(**settings), workers(here, elsewhere)) == pytest.approx(expected_per_s)


@pytest.mark.parametrize(
    ("here", "elsewhere", "settings", "expected"),
    [
        (1, 0, {"PROCESSES": "1"}, False),
        (4, 0, {"PROCESSES": "4"}, False),
        (2, 0, {"PROCESSES": "1"}, True),
        (2, 0, {"PROCESSES": "1", "RATE_LIMIT": "0"}, False),
        (1, 1, {"PROCESSES": "1"}, False),
        (1, 1, {"PROCESSES": "1", "FLEET_RATE_LIMIT": "50"}, True),
    ],
)
def test_a_worker_waits_for_the_others_to_slow_down_when_they_have_to(
    beating: Beating, here: int, elsewhere: int, settings: dict[str, str], expected: bool
) -> None:
    assert beating(**settings)._takes_from_others(workers(here, elsewhere)) is expected
