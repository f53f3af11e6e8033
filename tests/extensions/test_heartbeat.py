"""What a worker takes of the machine's and the fleet's rate, by the heartbeats that it sees."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
import pytest
from crawlers import crawler_of

from tmdb_scrapy import settings as page
from tmdb_scrapy.extensions.heartbeat import HeartbeatExtension, _need_per_s
from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.queue import Heartbeat, IdQueue
from tmdb_scrapy.queue.needs import fleet_needs, rounded
from tmdb_scrapy.spiders.of_kinds import SPIDERS
from tmdb_scrapy.worker import machine

SETTINGS = {name: getattr(page, name) for name in dir(page) if name.isupper()}

Beating = Callable[..., Any]


@pytest.fixture
def beating(as_user: pytest.MonkeyPatch) -> Beating:
    """Makes a heartbeat extension with its crawler, which does not run."""

    def made(**variables: str) -> HeartbeatExtension:
        for name, value in variables.items():
            as_user.setenv(name, value)
        crawler = crawler_of(SPIDERS["movies"])
        extension = crawler.get_extension(HeartbeatExtension)
        assert extension is not None
        return extension

    return made


def workers(here: int, elsewhere: int = 0) -> list[Heartbeat]:
    """All have one host name, as clones of an image have: it is not what tells machines apart."""
    machines = [machine()] * here + ["elsewhere"] * elsewhere
    return [
        Heartbeat(
            name=f"worker-{number}", host="clone", machine=each, pid=number, state="crawling", in_use=True
        )
        for number, each in enumerate(machines)
    ]


def seen(peers: list[Heartbeat]) -> tuple[list[Heartbeat], Counter[float]]:
    """What a worker of this machine sees of these: its neighbours, and the needs of all."""
    return [peer for peer in peers if peer.machine == machine()], Counter(
        rounded(_need_per_s(peer)) for peer in peers
    )


def cap_per_s(extension: HeartbeatExtension, peers: list[Heartbeat]) -> float:
    if not any(peer.name == extension._worker.name for peer in peers):
        peers = [msgspec.structs.replace(peers[0], name=extension._worker.name), *peers[1:]]
    own = next(peer for peer in peers if peer.name == extension._worker.name)
    extension._share(own, *seen(peers))
    return extension._worker.pacing.governor.pace.cap_per_s


@pytest.mark.parametrize(
    ("own", "here"),
    [({"in_use": False, "rate_per_s": 7.0}, 1), ({"state": "waiting"}, 1), ({"in_use": False}, 0)],
    ids=["slower than it may", "idle", "not in sight of itself"],
)
def test_a_lone_worker_may_use_the_whole_limit_whatever_it_needs(
    beating: Beating, own: dict[str, Any], here: int
) -> None:
    extension = beating(RATE_LIMIT="40", PROCESSES="1")
    heartbeat = msgspec.structs.replace(workers(1)[0], name=extension._worker.name, **own)
    extension._share(heartbeat, [heartbeat][:here], Counter())
    assert extension._worker.pacing.governor.pace.cap_per_s == pytest.approx(40)


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
    "idle", [{"state": "waiting"}, {"state": "paused"}, {"in_use": False, "rate_per_s": 0.1}]
)
def test_who_does_not_need_its_share_leaves_it_to_the_others(beating: Beating, idle: dict[str, Any]) -> None:
    extension = beating(RATE_LIMIT="40", PROCESSES="1")
    _, *others = workers(4)
    others = [msgspec.structs.replace(peer, **idle) for peer in others]
    own = msgspec.structs.replace(others[0], name=extension._worker.name, state="crawling", in_use=True)
    assert cap_per_s(extension, [own, *others]) == pytest.approx(37)


def test_workers_who_see_the_same_divide_alike_and_never_exceed_the_limit(beating: Beating) -> None:
    extension = beating(RATE_LIMIT="40", PROCESSES="1")
    peers = workers(3)
    peers[0] = msgspec.structs.replace(peers[0], in_use=False, rate_per_s=2.0)
    peers[1] = msgspec.structs.replace(peers[1], state="waiting")
    caps = []
    for peer in peers:
        extension._cap_before_per_s = None
        named = [msgspec.structs.replace(p, name=extension._worker.name) if p is peer else p for p in peers]
        caps.append(cap_per_s(extension, named))
    assert sum(caps) == pytest.approx(40)


@pytest.mark.parametrize(("used_per_s", "rest_per_s"), [(0.1, 37), (1.0, 34), (2.0, 28)])
def test_a_fleets_limit_is_divided_by_needs_rounded_up(
    beating: Beating, used_per_s: float, rest_per_s: float
) -> None:
    """1.5 times what they used is 0.15, 1.5 and 3: an idle share of 1 at least, then 2 and 4."""
    extension = beating(FLEET_RATE_LIMIT="40", RATE_LIMIT="0", PROCESSES="1")
    own, *others = workers(1, 3)
    others = [msgspec.structs.replace(peer, in_use=False, rate_per_s=used_per_s) for peer in others]
    assert cap_per_s(extension, [own, *others]) == pytest.approx(rest_per_s)


@pytest.mark.parametrize("settings", [{}, {"FLEET_RATE_LIMIT": "40"}], ids=["no limit", "a fleet's limit"])
def test_a_beat_costs_the_same_in_any_fleet(beating: Beating, settings: dict[str, str]) -> None:
    extension = beating(PROCESSES="1", RATE_LIMIT="0", **settings)
    queue = extension._worker.queue

    async def others(first: int, last: int) -> None:
        """Others beat, each on a machine of its own."""
        for number, other in [*enumerate(workers(0, last))][first:]:
            name = f"other-{number}"
            await queue.heartbeats.beat(msgspec.structs.replace(other, name=name, machine=name))
            await fleet_needs([queue], "movies", name, math.inf)

    async def beats(first: int, last: int) -> tuple[int, float]:
        """The bytes that Redis answers to a beat among so many others, and the rate it leads to."""
        await others(first, last)
        await extension._beat()
        sent = [(await queue.client.info("stats"))["total_net_output_bytes"] for _ in range(2)]
        await extension._beat()
        sent.append((await queue.client.info("stats"))["total_net_output_bytes"])
        return (sent[2] - sent[1]) - (sent[1] - sent[0]), extension._worker.pacing.governor.pace.cap_per_s

    async def story() -> list[tuple[int, float]]:
        extension._queues = [IdQueue(queue.client, kind) for kind in KINDS.values()]
        extension._heartbeat = partial(  # type: ignore[method-assign]
            msgspec.structs.replace, extension._heartbeat(), in_use=True
        )
        await queue.open()
        try:
            return [await beats(0, 9), await beats(9, 199)]
        finally:
            await queue.client.aclose()

    (few_bytes, among_few), (many_bytes, among_many) = asyncio.run(story())
    assert abs(many_bytes - few_bytes) < 50
    assert [among_few, among_many] == pytest.approx([4, 0.2] if settings else [0, 0])


def test_a_larger_share_is_taken_a_beat_later_and_a_smaller_at_once(beating: Beating) -> None:
    extension = beating(RATE_LIMIT="40", PROCESSES="1")
    shares = [cap_per_s(extension, workers(here)) for here in (2, 1, 1, 4, 4, 2, 2)]
    assert shares == pytest.approx([20, 20, 40, 10, 10, 10, 20])


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
    assert beating(**settings)._takes_from_others(*seen(workers(here, elsewhere))) is expected


def test_a_beat_says_until_when_a_retry_after_keeps_the_worker_silent(beating: Beating) -> None:
    extension = beating(RATE_LIMIT="40")

    async def beats() -> list[Heartbeat]:
        before = extension._heartbeat()
        extension._worker.pacing.governor.throttled(asyncio.get_running_loop().time(), 60.0)
        return [before, extension._heartbeat()]

    before, silenced = asyncio.run(beats())
    assert before.silent_until == 0
    assert silenced.silent_until - silenced.seen_at == pytest.approx(60, abs=1)
