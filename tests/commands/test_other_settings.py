"""Commands, and settings that changed after outcomes were reached."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tmdb_scrapy.config import Config
from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.queue import IdQueue, Settlement, State
from tmdb_scrapy.queue.recorded_settings import present

Invoke = Callable[..., int]
Ask = Callable[..., Any]


@pytest.fixture
def crawled(ask: Ask, config: Config) -> None:
    """Of four movies one is kept, one was dropped for its budget, one is missing and one is queued."""

    async def story(queue: IdQueue) -> None:
        await queue.seed([1, 2, 3, 4])
        await queue.settle_under(present(config, KINDS["movies"]))
        one, two, three = await queue.lease("ada", 3)
        await queue.settle(
            [
                Settlement(one, State.KEPT),
                Settlement(two, State.DROPPED, "budget"),
                Settlement(three, State.MISSING),
            ]
        )
        await queue.heartbeats.end("ada")

    ask(story)


@pytest.mark.usefixtures("crawled")
def test_job_and_crawl_refuse_them(
    invoke: Invoke, ask: Ask, environment: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    before = ask(lambda queue: queue.ledger())
    assert invoke("job", "movies", LANGUAGE="de") == 1
    said = capfd.readouterr().err
    assert "LANGUAGE is 'de' now and was 'en-US'" in said and "scrapy refresh movies --all" in said
    worker = subprocess.run(
        [sys.executable, "-m", "scrapy", "crawl", "movies"],
        env=environment | {"LANGUAGE": "de"},
        cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert worker.returncode == 1
    assert "LANGUAGE is 'de' now and was 'en-US'" in worker.stderr.splitlines()[-1]
    assert ask(lambda queue: queue.ledger()) == before


@pytest.mark.usefixtures("crawled")
def test_a_changed_filter_is_taken_up_by_asking_for_the_dropped_again(
    invoke: Invoke, ask: Ask, capfd: pytest.CaptureFixture[str]
) -> None:
    assert invoke("audit", "movies", MIN_BUDGET="5") == 1
    assert "settings other than those of the outcomes" in capfd.readouterr().out
    assert invoke("retry", "movies", "--dropped", "--dry-run") == 0
    assert invoke("retry", "movies", "--dropped", "budget") == 0
    assert ask(lambda queue: queue.settings())["MIN_BUDGET"] == "1000"
    assert invoke("retry", "movies", "--dropped") == 0
    assert ask(lambda queue: queue.settings())["MIN_BUDGET"] == "5"
    assert ask(lambda queue: queue.ledger()) == b"\0kqmq"


@pytest.mark.usefixtures("crawled")
def test_a_stricter_filter_is_not_taken_up_without_those_that_were_kept(invoke: Invoke, ask: Ask) -> None:
    assert invoke("retry", "movies", "--dropped", MIN_BUDGET="5000") == 0
    assert ask(lambda queue: queue.settings())["MIN_BUDGET"] == "1000"


@pytest.mark.usefixtures("crawled")
def test_another_language_stays_refused_when_the_filter_is_taken_up(invoke: Invoke, ask: Ask) -> None:
    assert invoke("retry", "movies", "--dropped", FILTER="off", LANGUAGE="de") == 0
    recorded = ask(lambda queue: queue.settings())
    assert (recorded["FILTER"], recorded["LANGUAGE"]) == ("off", "en-US")
    assert "MIN_BUDGET" not in recorded
