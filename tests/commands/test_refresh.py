from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tmdb_scrapy.config import Config
from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.queue import IdQueue, Ledger, Settlement, State
from tmdb_scrapy.queue.freshness import known
from tmdb_scrapy.queue.recorded_settings import present
from tmdb_scrapy.sandbox.server.process import SandboxProcess
from tmdb_scrapy.sources import changes, days

Invoke = Callable[..., int]
Ask = Callable[..., Any]
Say = pytest.CaptureFixture[str]
FIRST = datetime.datetime.now(datetime.UTC).date() - datetime.timedelta(days=60)
OUTCOMES = {"kept": State.KEPT, "dropped": State.DROPPED, "missing": State.MISSING}


class World:
    """A sandbox in which days pass, and a user of `scrapy refresh` who lives in it."""

    def __init__(self, sandbox: SandboxProcess, user: pytest.MonkeyPatch, invoke: Invoke, ask: Ask) -> None:
        self.sandbox, self._user, self.invoke, self.ask = sandbox, user, invoke, ask
        user.setenv("TMDB_API_URL", sandbox.api_url)
        user.setenv("TMDB_EXPORT_URL", sandbox.export_url)
        user.setenv("RATE_LIMIT", "0")
        user.setenv("FILTER", "off")
        self.day = 0
        self.be(0)

    def be(self, day: int) -> None:
        """It is another day, everywhere."""
        self.day = day
        today = FIRST + datetime.timedelta(days=day)
        self.sandbox.set(day=day, today=today.isoformat())
        self._user.setattr(days, "today", lambda: today)

    def crawl(self) -> set[int]:
        """Settle what is queued as the sandbox has it; returns what that was."""
        expected = self.sandbox.expected("movies")

        async def settle(queue: IdQueue) -> set[int]:
            done: set[int] = set()
            while leases := await queue.lease("ada", 5_000):
                outcomes = (OUTCOMES[expected.get(lease.id, "missing")] for lease in leases)
                await queue.settle(map(Settlement, leases, outcomes))
                done.update(lease.id for lease in leases)
            return done

        found: set[int] = self.ask(settle)
        return found

    def kept(self) -> set[int]:
        return set(self.ask(IdQueue.picture).ledger.ids(State.KEPT))

    def truth(self) -> set[int]:
        return {each for each, outcome in self.sandbox.expected("movies").items() if outcome == "kept"}

    def changed(self, first: int, last: int) -> set[int]:
        catalogue = self.sandbox.catalogue()
        return {each for day in range(first, last + 1) for each in catalogue.at(day).changed("movies")}

    def mark(self) -> datetime.date | None:
        return self.ask(known).changes_read  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with SandboxProcess(["--movies", "2000", "--seed", "5"]) as process:
        yield process


@pytest.fixture
def world(sandbox: SandboxProcess, as_user: pytest.MonkeyPatch, invoke: Invoke, ask: Ask) -> World:
    world = World(sandbox, as_user, invoke, ask)
    assert invoke("seed", "movies") == 0
    world.crawl()
    return world


def counted(said: str) -> dict[str, int]:
    """The counts of the last line that refresh said of them."""
    line = [each for each in said.splitlines() if "queued" in each and " · " in each][-1]
    counts = {}
    for part in line.partition(", about")[0].replace(" would be queued", " queued").split(" · "):
        first, _, rest = part.rpartition(" ")
        name, number = (rest, first) if rest == "queued" else (first, rest)
        counts[name] = int(number.replace(",", ""))
    return counts


def test_after_a_refresh_and_a_crawl_the_ledger_is_that_of_a_full_crawl(world: World, capsys: Say) -> None:
    for day in (1, 2, 9, 30, 31):
        before = world.day
        world.be(day)
        capsys.readouterr()
        assert world.invoke("refresh", "movies") == 0
        counts = counted(capsys.readouterr().out)
        assert sum(counts.values()) == 2 * counts["queued"] == 2 * world.ask(IdQueue.queued)
        asked = world.crawl()
        assert world.kept() == world.truth(), f"day {day}"
        named = world.changed(before - 1, day)
        at = world.sandbox.catalogue()
        came_or_went = set(at.at(before).ids("movies")) ^ set(at.at(day).ids("movies"))
        assert asked <= named | came_or_went
        assert len(asked) == counts["queued"] > 0


def test_run_twice_it_queues_nothing_more(world: World, capsys: Say) -> None:
    world.be(1)
    assert world.invoke("refresh", "movies") == 0
    length = world.ask(IdQueue.length)
    assert world.invoke("refresh", "movies") == 0
    assert counted(capsys.readouterr().out)["queued"] == 0
    assert world.ask(IdQueue.length) == length > 0


def test_a_dry_run_says_the_same_and_changes_nothing(world: World, capsys: Say) -> None:
    world.be(3)
    before = world.ask(IdQueue.picture)
    assert world.invoke("refresh", "movies", "--dry-run") == 0
    would = counted(capsys.readouterr().out)
    assert world.ask(IdQueue.picture) == before and world.mark() is None
    assert world.invoke("refresh", "movies") == 0
    assert counted(capsys.readouterr().out) == would


def test_the_feed_is_read_from_the_day_before_the_mark_and_first_from_that_before_the_seeding(
    world: World,
) -> None:
    world.be(2)
    assert world.invoke("refresh", "movies") == 0
    known_then = set(world.sandbox.catalogue().at(0).ids("movies"))
    assert world.changed(0, 2) & known_then <= world.crawl()
    world.be(5)
    assert world.invoke("refresh", "movies") == 0
    asked = world.crawl()
    assert world.changed(1, 5) & known_then <= asked
    assert world.changed(0, 0) - world.changed(1, 5) - asked, "the days before were not read again"
    assert world.mark() == FIRST + datetime.timedelta(days=5)


def test_a_later_since_leaves_the_mark_where_it_is(world: World) -> None:
    world.be(10)
    later, earlier = (FIRST + datetime.timedelta(days=day) for day in (8, -3))
    assert world.invoke("refresh", "movies", "--since", later.isoformat()) == 0
    assert world.mark() is None
    assert world.invoke("refresh", "movies", "--since", earlier.isoformat()) == 0
    assert world.mark() == FIRST + datetime.timedelta(days=10)


def test_a_feed_that_cannot_be_read_moves_nothing(world: World, capsys: Say) -> None:
    world.be(1)
    assert world.invoke("refresh", "movies", TMDB_API_URL=f"{world.sandbox.url}/4") == 1
    assert "TMDB_API_URL" in capsys.readouterr().err
    assert (world.ask(IdQueue.queued), world.mark()) == (0, None)


def shrink_the_export(world: World, directory: Path) -> None:
    """That of today has half of what it had to have."""
    ids = sorted(world.sandbox.catalogue().at(world.day).ids("movies"))
    name = days.file_name(KINDS["movies"], days.today())
    lines = (f'{{"id":{each},"popularity":1.0,"original_title":""}}\n' for each in ids[: len(ids) // 2])
    (directory / "data/exports" / name).write_text("".join(lines))


def test_a_shrunken_export_is_told_with_both_numbers_and_the_rest_is_queued(
    world: World, capsys: Say, tmp_path: Path
) -> None:
    world.be(1)
    shrink_the_export(world, tmp_path)
    assert world.invoke("refresh", "movies") == 1
    said = capsys.readouterr()
    assert counted(said.out)["gone"] == 0
    assert counted(said.out)["changed"] > 0
    assert "of the" in said.err and "not whole" in said.err
    assert world.ask(known).exported is None and world.mark() is not None


def test_only_the_newest_export_stays_on_disk_and_the_audit_compares_it(world: World, tmp_path: Path) -> None:
    for day in (1, 2):
        world.be(day)
        assert world.invoke("refresh", "movies") == 0
    (export,) = (tmp_path / "data/exports").glob("*.json.gz")
    assert export.name in (tmp_path / "data/exports/movies.seeds.jsonl").read_text()


def test_kinds_without_a_feed_go_by_export_and_age(world: World, capsys: Say) -> None:
    assert world.invoke("seed", "keywords") == 0
    capsys.readouterr()
    assert world.invoke("refresh", "keywords") == 0
    assert counted(capsys.readouterr().out)["changed"] == 0
    assert world.invoke("refresh", "keywords", "--since", FIRST.isoformat()) == 2
    assert "no change feed of keywords" in capsys.readouterr().err


def test_what_was_never_seeded_is_refused(invoke: Invoke, capsys: Say) -> None:
    assert invoke("refresh", "movies") == 1
    assert "scrapy seed movies" in capsys.readouterr().err


def test_stale_ones_are_listed_and_asked_for_again(world: World, capsys: Say) -> None:
    async def fail_again(queue: IdQueue) -> None:
        kept = Ledger(queue.kind, await queue.ledger()).ids(State.REFRESHING)[:3]
        leases = await queue.lease("ada", 5_000) or []
        await queue.settle(
            Settlement(lease, *((State.FAILED, "HTTP 500") if lease.id in kept else (State.MISSING, "")))
            for lease in leases
        )

    assert world.invoke("refresh", "movies", "--all") == 0
    world.ask(fail_again)
    stale = world.ask(IdQueue.picture).ledger.ids(State.STALE)
    capsys.readouterr()
    for command in ("status", "audit"):
        world.invoke(command, "movies")
        said = capsys.readouterr().out
        assert "stale" in said and all(str(each) in said for each in stale), command
    assert world.invoke("refresh", "movies") == 0
    assert counted(capsys.readouterr().out)["failed"] == len(stale) > 0


def record_settings(world: World, config: Config) -> None:
    """As the first outcomes do."""

    async def settle_one(queue: IdQueue) -> None:
        await queue.settle_under(present(config, KINDS["movies"]))
        (lease,) = await queue.lease("ada", 1)
        await queue.settle([Settlement(lease, State.MISSING)])

    world.invoke("retry", "movies", "--missing")
    world.ask(settle_one)


def test_asking_for_everything_gets_past_a_feed_that_cannot_be_read(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: Say
) -> None:
    world.be(1)
    monkeypatch.setattr(changes, "LAST_PAGE", 0)
    assert world.invoke("refresh", "movies") == 1
    assert "scrapy refresh movies --all" in capsys.readouterr().err
    assert world.mark() is None
    assert world.invoke("refresh", "movies", "--all") == 0
    assert world.mark() == FIRST + datetime.timedelta(days=1)
    assert world.crawl() >= set(world.sandbox.catalogue().at(1).ids("movies"))


def test_a_crawl_of_an_earlier_release_is_refreshed_since_the_day_of_its_export(world: World) -> None:
    """Of which Redis has neither selections nor a day."""
    world.ask(lambda queue: queue.client.hdel(queue.keys.about, "seeded_on", "selections"))
    world.be(2)
    assert world.invoke("refresh", "movies") == 0
    assert world.mark() == FIRST + datetime.timedelta(days=2)
    assert world.crawl() >= world.changed(0, 2) & set(world.sandbox.catalogue().at(2).ids("movies"))


def test_asking_for_everything_takes_up_settings_that_changed(
    world: World, config: Config, as_user: pytest.MonkeyPatch
) -> None:
    record_settings(world, config)
    as_user.setenv("LANGUAGE", "de")
    assert world.invoke("refresh", "movies") == 0
    assert world.invoke("refresh", "movies", "--all", "--dry-run") == 0
    assert world.ask(IdQueue.settings)["LANGUAGE"] == "en-US"
    assert world.invoke("refresh", "movies", "--all") == 0
    assert world.ask(IdQueue.settings)["LANGUAGE"] == "de"
    assert world.ask(IdQueue.settings)["FILTER"] == "off"


def test_asking_for_everything_takes_up_settings_whatever_the_export_lacks(
    world: World, config: Config, as_user: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Else workers would refuse to start and ask for just this, for ever."""
    record_settings(world, config)
    as_user.setenv("LANGUAGE", "de")
    world.be(1)
    shrink_the_export(world, tmp_path)
    assert world.invoke("refresh", "movies", "--all") == 1
    assert world.ask(IdQueue.settings)["LANGUAGE"] == "de"
