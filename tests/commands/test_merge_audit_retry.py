"""The commands after a crawl: what they say, and that they exit 0 only when all is well."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis

from tmdb_scrapy.config import Config
from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.queue import IdQueue, Settlement, State
from tmdb_scrapy.queue.heartbeat import Heartbeat
from tmdb_scrapy.records.part import merged_file, parts_directory
from tmdb_scrapy.sources.seeded import SeededRecord, Selection

Invoke = Callable[..., int]
Ask = Callable[..., Any]


def line(tmdb_id: int) -> bytes:
    return json.dumps({"id": tmdb_id}).encode() + b"\n"


@pytest.fixture
def crawled(invoke: Invoke, ask: Ask, config: Config, tmp_path: Path) -> Path:
    """Movies 1 to 4 are kept, dropped, missing and failed; answers the only part."""
    export = tmp_path / "movies.json"
    export.write_text("".join(json.dumps({"id": n, "popularity": 9 - n}) + "\n" for n in range(1, 5)))
    assert invoke("seed", "movies", "--file", str(export)) == 0

    async def settle(queue: IdQueue) -> None:
        states = (State.KEPT, State.DROPPED, State.MISSING, State.FAILED)
        leases = await queue.lease("ada", 4)
        await queue.settle(Settlement(*pair) for pair in zip(leases, states, strict=True))

    ask(settle)
    part = parts_directory(config.data_dir, KINDS["movies"]) / "ada.jsonl"
    part.parent.mkdir(parents=True)
    part.write_bytes(line(1))
    return part


def test_no_command_loads_numpy_before_it_has_work_for_it() -> None:
    """Scrapy loads them all, also where a worker starts."""
    code = (
        "import importlib, pkgutil, sys, tmdb_scrapy.commands as commands\n"
        "for each in pkgutil.iter_modules(commands.__path__, 'tmdb_scrapy.commands.'):\n"
        "    importlib.import_module(each.name)\n"
        "sys.exit('numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_what_is_merged_is_audited(
    invoke: Invoke, crawled: Path, config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke("merge", "movies") == 0
    assert merged_file(config.data_dir, KINDS["movies"]).read_bytes() == line(1)
    assert invoke("audit", "movies") == 0
    said = capsys.readouterr().out
    assert "1 line from 1 part " in said
    assert "export, ledger, queue and merged file agree" in said
    assert "1 movie failed; `scrapy retry movies`" in said


def test_an_audit_before_the_merge_says_what_to_run(
    invoke: Invoke, crawled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke("audit", "movies") == 1
    assert "Run: scrapy merge movies" in capsys.readouterr().err


def test_an_audit_of_nothing_fails(invoke: Invoke, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke("audit", "movies") == 1
    assert "scrapy seed movies" in capsys.readouterr().err


def test_an_audit_finds_what_was_exported_and_never_seeded(
    invoke: Invoke, crawled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke("merge", "movies") == 0
    with (tmp_path / "movies.json").open("a") as export:
        export.write('{"id":9}\n')
    assert invoke("audit", "movies") == 1
    assert "Run: scrapy seed movies" in capsys.readouterr().err


def test_an_audit_without_the_export_compares_the_rest_and_says_so(
    invoke: Invoke, crawled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke("merge", "movies") == 0
    (tmp_path / "movies.json").unlink()
    assert invoke("audit", "movies") == 1
    said = capsys.readouterr().err
    assert "is gone" in said
    assert "ledger, queue and merged file agree, but no export was compared" in said


def test_an_audit_counts_what_an_interrupted_seeding_left_out(
    invoke: Invoke, crawled: Path, tmp_path: Path, config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke("merge", "movies") == 0
    longer = tmp_path / "longer.json"
    longer.write_bytes((tmp_path / "movies.json").read_bytes() + b'{"id":9}\n')
    SeededRecord(config.data_dir / "exports", KINDS["movies"]).begin(Selection(file=str(longer)))
    assert invoke("audit", "movies") == 1
    assert "Run: scrapy seed movies" in capsys.readouterr().err


def test_after_a_ledger_was_started_anew_the_audit_asks_for_what_was_seeded_since(
    invoke: Invoke, crawled: Path, tmp_path: Path, redis_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
    newer = tmp_path / "newer.json"
    newer.write_text('{"id":7,"popularity":1}\n')
    assert invoke("seed", "movies", "--file", str(newer)) == 0
    assert invoke("audit", "movies") == 1
    assert "IDs not settled yet" in capsys.readouterr().err


def test_a_merge_without_a_ledger_leaves_the_earlier_file(
    invoke: Invoke, crawled: Path, config: Config, redis_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke("merge", "movies") == 0
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
    assert invoke("merge", "movies") == 1
    assert "Check REDIS_URL" in capsys.readouterr().err
    assert merged_file(config.data_dir, KINDS["movies"]).read_bytes() == line(1)


def test_a_merge_without_all_lines_fails(
    invoke: Invoke, crawled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    crawled.write_bytes(line(1)[:-3])
    assert invoke("merge", "movies") == 1
    assert "scrapy retry movies --lost" in capsys.readouterr().err


def test_a_merge_queues_what_is_not_as_it_was_written_and_fails(
    invoke: Invoke, ask: Ask, crawled: Path, config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke("merge", "movies") == 0
    merged_file(config.data_dir, KINDS["movies"]).unlink()
    crawled.write_bytes(b'{"id": 9}\n')
    assert invoke("merge", "movies", "--prune") == 1
    said = capsys.readouterr().err
    assert "the newest lines of ID 1." in said
    assert "queued again: 1 movie." in said
    assert "make crawl KIND=movies" in said
    assert [lease.id for lease in ask(lambda queue: queue.lease("bob", 9))] == [1]
    assert crawled.exists()


def test_merge_prune_leaves_what_a_live_worker_writes(
    invoke: Invoke, ask: Ask, crawled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(lambda queue: queue.heartbeats.beat(Heartbeat(name="ada", host="here", pid=1, state="crawling")))
    assert invoke("merge", "movies", "--prune") == 0
    assert "removed 0 parts" in capsys.readouterr().out
    ask(lambda queue: queue.heartbeats.end("ada"))
    assert invoke("merge", "movies", "--prune") == 0
    assert "removed 1 part:" in capsys.readouterr().out
    assert not crawled.exists()
    assert invoke("merge", "movies") == 0
    assert invoke("audit", "movies") == 0


def test_a_merge_says_what_it_leaves_in_though_it_is_not_kept(
    invoke: Invoke, ask: Ask, crawled: Path, config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    merged = merged_file(config.data_dir, KINDS["movies"])
    assert invoke("merge", "movies") == 0
    ask(lambda queue: queue.requeue([1], State.KEPT))
    assert invoke("merge", "movies") == 0
    assert "`scrapy merge movies --drop`" in capsys.readouterr().err
    assert merged.read_bytes() == line(1)
    assert invoke("merge", "movies", "--drop") == 0
    assert merged.read_bytes() == b""


def test_after_a_merge_that_found_nothing_new_what_is_lost_can_be_told(
    invoke: Invoke, ask: Ask, crawled: Path
) -> None:
    assert invoke("merge", "movies") == 0
    crawled.touch()
    assert invoke("merge", "movies") == 0
    assert invoke("retry", "movies", "--lost") == 0


def test_retry_queues_what_failed(
    invoke: Invoke, ask: Ask, crawled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke("retry", "movies") == 0
    assert "queued 1 movie again" in capsys.readouterr().out
    assert [lease.id for lease in ask(lambda queue: queue.lease("bob", 9))] == [4]


@pytest.mark.parametrize(("merged", "ids"), [(line(1), []), (b"", [1]), (line(1)[:-3], [1])])
def test_retry_of_what_is_lost(
    invoke: Invoke, ask: Ask, crawled: Path, config: Config, merged: bytes, ids: list[int]
) -> None:
    merged_file(config.data_dir, KINDS["movies"]).write_bytes(merged)
    assert invoke("retry", "movies", "--lost") == 0
    assert [lease.id for lease in ask(lambda queue: queue.lease("bob", 9))] == ids


@pytest.mark.parametrize("merged_before", [False, True])
def test_nothing_is_called_lost_before_the_parts_are_merged(
    invoke: Invoke,
    ask: Ask,
    crawled: Path,
    config: Config,
    merged_before: bool,
    capsys: pytest.CaptureFixture[str],
) -> None:
    merged = merged_file(config.data_dir, KINDS["movies"])
    if merged_before:
        merged.touch()
        os.utime(merged, (1, 1))
    assert invoke("retry", "movies", "--lost") == 1
    assert "Run first: scrapy merge movies" in capsys.readouterr().err
    assert ask(lambda queue: queue.lease("bob", 9)) == []


def test_status_of_each_kind_that_was_seeded(
    invoke: Invoke, crawled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke("status") == 0
    said = capsys.readouterr().out
    assert "4 of 4 done" in said
    assert "people" not in said
    assert invoke("status", "people") == 0
    assert "0 of 0 done" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        ([], [4]),
        (["--failed"], [4]),
        (["--missing"], [3]),
        (["--dropped"], [2]),
        (["--dropped", "other"], [2]),
        (["--dropped", "budget"], []),
    ],
)
def test_every_final_outcome_can_be_reopened(
    invoke: Invoke, ask: Ask, crawled: Path, options: list[str], ids: list[int]
) -> None:
    assert invoke("retry", "movies", *options, "--dry-run") == 0
    assert ask(lambda queue: queue.queued()) == 0
    assert invoke("retry", "movies", *options) == 0
    assert [lease.id for lease in ask(lambda queue: queue.lease("ada", 9))] == ids


def test_given_ids_are_reopened_whatever_they_were(
    invoke: Invoke, ask: Ask, crawled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "ids.txt"
    file.write_text("# some\n1\n3 # missing\n\n4\n4\n99\n")
    assert invoke("retry", "movies", "--ids", str(file)) == 0
    assert "queued 3 movies again" in capsys.readouterr().out
    assert sorted(lease.id for lease in ask(lambda queue: queue.lease("ada", 9))) == [1, 3, 4]


def test_a_file_with_something_else_than_ids_is_refused_whole(
    invoke: Invoke, ask: Ask, crawled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "ids.txt"
    file.write_text("1\ntt0133093\n-4\n")
    assert invoke("retry", "movies", "--ids", str(file)) == 2
    said = capsys.readouterr().err
    assert "line 2" in said
    assert "line 3" in said
    assert ask(lambda queue: queue.queued()) == 0


def test_an_unknown_reason_is_told_with_those_there_are(
    invoke: Invoke, crawled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke("retry", "movies", "--dropped", "boredom") == 2
    assert "budget, revenue, genres, cast, crew, other" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("state", "ids"),
    [("kept", "1\n"), ("dropped", "2\n"), ("missing", "3\n"), ("failed", "4\n"), ("stale", "")],
)
def test_ids_of_a_state_are_printed_one_a_line(
    invoke: Invoke, crawled: Path, state: str, ids: str, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert invoke("ids", "movies", state) == 0
    assert capsys.readouterr().out == ids
