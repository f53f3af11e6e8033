"""`scrapy seed movies --source discover`, and what refresh and audit make of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.queue import IdQueue, Settlement, State
from tmdb_scrapy.records.merge import merge
from tmdb_scrapy.sandbox.server.process import SandboxProcess

Invoke = Callable[..., int]
Ask = Callable[..., Any]
Say = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with SandboxProcess(["--movies", "1500", "--successful", "300"]) as process:
        yield process


@pytest.fixture
def user(sandbox: SandboxProcess, as_user: pytest.MonkeyPatch) -> SandboxProcess:
    as_user.setenv("TMDB_API_URL", sandbox.api_url)
    as_user.setenv("TMDB_EXPORT_URL", sandbox.export_url)
    as_user.setenv("RATE_LIMIT", "0")
    sandbox.set(day=0)
    return sandbox


async def drop_all(queue: IdQueue) -> int:
    leases = await queue.lease("ada", 5_000) or []
    return await queue.settle(Settlement(lease, State.DROPPED, "cast") for lease in leases)


def test_it_queues_what_the_filter_would_keep_and_little_else(
    user: SandboxProcess, invoke: Invoke, ask: Ask, capsys: Say
) -> None:
    kept = {each for each, end in user.expected("movies").items() if end == "kept"}
    before = user.stats()["requests"]
    assert invoke("seed", "movies", "--source", "discover") == 0
    ledger = ask(IdQueue.picture).ledger
    assert kept <= set(ledger.ids(State.QUEUED)) and ledger.count(State.QUEUED) < 500
    assert user.stats()["requests"] - before < 1_000
    assert "by" in capsys.readouterr().out


def test_a_refresh_runs_it_again_and_takes_no_others_for_new(
    user: SandboxProcess, invoke: Invoke, ask: Ask, capsys: Say
) -> None:
    assert invoke("seed", "movies", "--source", "discover") == 0
    known = ask(drop_all)
    user.set(day=1)
    assert invoke("refresh", "movies") == 0
    after = ask(IdQueue.picture)
    kept = {each for each, end in user.expected("movies").items() if end == "kept"}
    assert kept <= {each for each in range(len(after.ledger.content)) if after.ledger.state(each)}
    assert known <= len(after.ledger.content.replace(b"\0", b"")) < known + 30
    capsys.readouterr()
    assert invoke("refresh", "movies", "--dry-run") == 0
    assert "new 0 ·" in capsys.readouterr().out


def test_the_audit_says_that_it_is_no_proof_and_after_a_full_crawl_how_much_it_had_found(
    user: SandboxProcess, invoke: Invoke, ask: Ask, capsys: Say, config: Any
) -> None:
    assert invoke("seed", "movies", "--source", "discover") == 0
    ask(drop_all)
    ledger = ask(IdQueue.ledger)
    merge(config.data_dir, KINDS["movies"], ledger, lambda *_: None)
    assert invoke("audit", "movies") == 0
    assert "no proof of completeness" in capsys.readouterr().out
    assert invoke("seed", "movies") == 0
    ask(drop_all)
    merge(config.data_dir, KINDS["movies"], ask(IdQueue.ledger), lambda *_: None)
    assert invoke("audit", "movies") == 0
    said = capsys.readouterr().out
    assert "of the 0 movies kept, discover had found 0" in said and "proof" not in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["people", "--source", "discover"], "discover is not for people"),
        (["movies", "--source", "discover", "--limit", "5"], "leave --date, --file, --limit"),
    ],
)
def test_what_does_not_fit_is_refused(invoke: Invoke, capsys: Say, arguments: list[str], words: str) -> None:
    assert invoke("seed", *arguments) == 2
    assert words in capsys.readouterr().err


def test_no_limit_is_refused(user: SandboxProcess, invoke: Invoke, capsys: Say) -> None:
    assert invoke("seed", "movies", "--source", "discover", MIN_REVENUE="0") == 2
    assert "MIN_REVENUE=0" in capsys.readouterr().err
