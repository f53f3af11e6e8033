"""An update is killed between any two of its steps: the same command goes on."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import doomed
import pytest
from days import FIRST, World
from foreign_redis import ForeignRedis

from tmdb_scrapy.commands import update
from tmdb_scrapy.commands.base import TmdbCommand
from tmdb_scrapy.config import Config
from tmdb_scrapy.kinds import Kind
from tmdb_scrapy.queue import IdQueue, Lease, Settlement, State
from tmdb_scrapy.records.part import Part, parts_directory
from tmdb_scrapy.sandbox.server.process import SandboxProcess

UPDATE = ("update", "movies")


def with_played_steps() -> None:
    """What is looked at lies between the steps. So a worker without Scrapy crawls, and of the commands that
    an update starts only the names are written down."""
    update.crawl_here = crawl  # type: ignore[assignment]
    update.run_scrapy = write_down  # type: ignore[assignment]
    update.start_here = at_work


def crawl(command: TmdbCommand, kind: Kind) -> None:
    """Fetch and settle all that is queued, also what a worker before had leased."""
    part = Part(parts_directory(command.config.data_dir, kind) / f"worker-{os.getpid()}.jsonl")

    def fetched(lease: Lease) -> Settlement:
        url = f"{command.config.tmdb_api_url}/{kind.path}/{lease.id}?api_key={command.config.tmdb_api_key}"
        try:
            with urllib.request.urlopen(url) as response:
                part.write(lease.id, response.read() + b"\n")
        except urllib.error.HTTPError:
            return Settlement(lease, State.MISSING)
        return Settlement(lease, State.KEPT)

    async def work(queue: IdQueue) -> None:
        await queue.client.delete(queue.keys.no_one_gone)  # a second has passed since somebody looked
        leases = await queue.reclaim(part.path.stem, 5_000)
        leases += await queue.lease(part.path.stem, 5_000) or []
        settlements = [fetched(lease) for lease in leases]
        part.close()
        await queue.settle(settlements)

    command.ask(kind, work)


def at_work(config: Config) -> int:
    """Redis is."""
    return 0


def write_down(*arguments: str) -> int:
    with Path("started").open("a") as file:
        file.write(f"{arguments[0]}\n")
    return 0


class Result(NamedTuple):
    """What an update has brought about."""

    lines: list[bytes]
    changes: list[bytes]
    parts: list[str]
    """And their indexes."""
    started: set[bytes]
    updated_at: bytes


def result(world: World) -> Result:
    files = (
        world.data / "movies.jsonl",
        world.data / "movies.changes.jsonl",
        world.user.directory / "started",
    )
    lines, changes, started = (path.read_bytes().splitlines() if path.exists() else [] for path in files)
    parts = sorted(path.suffix for path in (world.data / "movies" / "parts").iterdir())
    updated_at = world.redis.hget("{movies}:about", "updated_at") or b""
    return Result(sorted(lines), sorted(changes), parts, set(started), updated_at)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with SandboxProcess(["--movies", "200", "--seed", "5"]) as process:
        yield process


@pytest.fixture
def world(
    sandbox: SandboxProcess, redis_server: ForeignRedis, environment: dict[str, str], tmp_path: Path
) -> Iterator[World]:
    """Whose user updated days ago, and has tables."""
    user = doomed.User(tmp_path, environment, FIRST, with_played_steps).with_settings(FILTER="off")
    world = World(sandbox, redis_server, user)
    world.run("seed", "movies")
    world.run(*UPDATE)
    (world.data / "tables").mkdir()
    (tmp_path / "started").unlink()
    world.redis.hset("{movies}:about", "updated_at", "1")
    world.be(3)
    world.save()
    yield world
    world.redis.close()


@pytest.mark.slow
def test_killed_between_any_two_steps_an_update_goes_on(world: World) -> None:
    before = result(world)
    moments = doomed.moments(world.user, UPDATE, lambda: result(world))
    expected, states = result(world), world.left().ledger
    assert len(moments) > 7 and not expected.parts and expected.started == {b"tables", b"report"}
    for moment in moments:
        world.restore()
        (world.user.directory / "started").unlink()
        assert world.user.run(*UPDATE, happens=doomed.at(moment, doomed.die)) == -9
        between = result(world)
        assert between.lines in (before.lines, expected.lines)
        assert between.updated_at == b"1" or (between.lines == expected.lines and not between.parts)
        world.run(*UPDATE)
        after = result(world)
        assert after._replace(updated_at=expected.updated_at) == expected, moment
        assert after.updated_at > b"1"
        assert world.left().ledger == states
