"""Seeding and refreshing end at the worst moments, by kill -9 or because Redis is restarted: the same command
goes on, and in the end it is as if nothing had been. What was read counts as read once all of it is queued.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import doomed
import pytest
from days import FIRST, Left, World
from foreign_redis import ForeignRedis

from tmdb_scrapy.queue import freshness, id_queue
from tmdb_scrapy.sandbox.server.process import SandboxProcess

Ask = Callable[..., Any]
SMALL_BATCH = 30
DONE = (b"changes_read", b"export_compared", b"settings")
"""What Redis notes of a refresh that has queued all."""
SEEDS = "exports/movies.seeds.jsonl"

EXPORT = ("seed", "movies")
DISCOVER = ("seed", "movies", "--source", "discover")
REFRESH = ("refresh", "movies")
ALL = ("refresh", "movies", "--all")


def in_small_batches() -> None:
    """Many moments lie between batches then."""
    freshness.IDS_A_CALL = id_queue.IDS_A_CALL = SMALL_BATCH


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with SandboxProcess(["--movies", "200", "--successful", "40", "--seed", "5"]) as process:
        yield process


@pytest.fixture
def world(
    sandbox: SandboxProcess, redis_server: ForeignRedis, environment: dict[str, str], tmp_path: Path
) -> Iterator[World]:
    world = World(sandbox, redis_server, doomed.User(tmp_path, environment, FIRST, in_small_batches))
    yield world
    world.redis.close()


def about_to(world: World, command: Sequence[str], ask: Ask) -> None:
    """Everything is so that the command is due."""
    if command[0] == "refresh":
        world.run(*EXPORT)
        ask(world.crawl)
        world.be(3)
    if command is ALL:
        world.user = world.user.with_settings(LANGUAGE="de")
    world.save()


def assert_honest(before: Left, between: Left, expected: Left) -> None:
    """What says that all was queued says so when all is; and nothing is queued twice."""
    if any(between.about.get(each) != before.about.get(each) for each in DONE):
        assert between.queue == expected.queue
    if between.files.get(SEEDS) != before.files.get(SEEDS):
        assert between.queue == expected.queue
    assert between.queue == expected.queue[: len(between.queue)]
    assert sorted(between.queue) == [each for each, byte in enumerate(between.ledger) if byte in b"qK"]
    assert between.about.get(b"selections") or not between.queue, "queued, and nobody knows of what"


@pytest.mark.slow
@pytest.mark.parametrize("command", [EXPORT, DISCOVER, REFRESH, ALL], ids=" ".join)
def test_killed_at_any_moment_the_same_command_goes_on(
    world: World, command: Sequence[str], ask: Ask
) -> None:
    about_to(world, command, ask)
    moments = doomed.moments(world.user, command, world.left)
    expected = world.left()
    assert len(expected.queue) > SMALL_BATCH and len(moments) > 3
    for moment in moments:
        world.restore()
        assert world.user.run(*command, happens=doomed.at(moment, doomed.die)) == -9
        assert_honest(world.before, world.left(), expected)
        world.run(*command)
        assert world.left() == expected, moment


def restart(server: ForeignRedis) -> None:
    """In good order."""
    server.stop()
    server.start()


@pytest.mark.slow
@pytest.mark.parametrize("command", [DISCOVER, REFRESH], ids=" ".join)
def test_when_redis_is_restarted_at_any_moment_the_same_command_goes_on(
    world: World, command: Sequence[str], ask: Ask
) -> None:
    about_to(world, command, ask)
    moments = doomed.moments(world.user, command, world.left)
    expected = world.left()
    for moment in moments:
        world.restore()
        code = world.user.run(*command, happens=doomed.at(moment, partial(restart, world.server)))
        assert code == 0 or "Redis" in world.user.said(), moment
        assert_honest(world.before, world.left(), expected)
        world.run(*command)
        assert world.left() == expected, moment


def test_a_redis_that_forgot_a_refresh_is_told_again(world: World, ask: Ask) -> None:
    about_to(world, REFRESH, ask)
    world.run(*REFRESH)
    expected = world.left()
    world.forget()
    world.run(*REFRESH)
    assert world.left() == expected


@pytest.mark.slow
def test_two_that_refresh_at_once_queue_everything_once(world: World, tmp_path: Path, ask: Ask) -> None:
    about_to(world, REFRESH, ask)
    moments = doomed.moments(world.user, REFRESH, world.left)
    expected = world.left()
    for moment in moments:
        world.restore()
        elsewhere = tmp_path / f"machine-{moment}"
        elsewhere.mkdir()
        other = replace(world.user, directory=elsewhere).with_settings(DATA_DIR=str(elsewhere / "data"))
        first = world.user.start(*REFRESH, happens=doomed.at(moment, doomed.stand_still))
        assert doomed.stands_still(first)
        assert other.run(*REFRESH) == 0, other.said()
        doomed.go_on(first)
        assert doomed.ended(first) == 0, world.user.said()
        assert world.left() == expected, moment
