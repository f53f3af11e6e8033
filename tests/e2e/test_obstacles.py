"""What waiting cannot mend ends a crawl with a sentence and settles no ID; what ends is waited out."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from crawl import API_KEY, Crawl

from benchmarks.authority import Authority

WITHIN_S = 60.0


def ends_without_settling(blocked: Crawl, sentence: str) -> None:
    """One worker ends with 1 and says why; every ID is queued still."""
    (worker,) = blocked.start(2)[:1]
    for each in blocked.workers:
        assert each.wait(WITHIN_S) == 1, each.output[-2000:]
    assert sentence in worker.output
    assert API_KEY not in worker.output
    assert set(blocked.ledger().values()) == {b"q"}


@pytest.mark.parametrize("path", ["", "/4", "/3/movie"])
def test_a_url_that_is_not_the_apis_settles_no_id(crawl: Callable[..., Crawl], path: str) -> None:
    """TMDb says 404 to all of them, in the words that it has for a deleted movie."""
    wrong = crawl("--movies", "100")
    wrong.seed()
    wrong.environment["TMDB_API_URL"] = f"{wrong.sandbox.url}{path}"
    ends_without_settling(wrong, "TMDB_API_URL must be the API's address with its version")


@pytest.mark.slow
def test_an_untrusted_certificate_gets_no_key_and_ends_the_crawl(
    crawl: Callable[..., Crawl], tmp_path: Path
) -> None:
    authority = Authority.make(tmp_path)
    options = ("--tls-cert", str(authority.certificate), "--tls-key", str(authority.key))
    impostor = crawl("--movies", "100", *options)
    ended = impostor.scrapy("seed", "movies")
    assert ended.code == 1 and "certificate" in ended.output.lower(), ended

    trusting = impostor.environment | authority.environment()
    distrusting, impostor.environment = impostor.environment, trusting
    impostor.seed()
    impostor.environment = distrusting
    ends_without_settling(impostor, "is not trusted here")
    assert impostor.asked() == 0
    impostor.environment = trusting
    impostor.start()
    impostor.finish()
    impostor.assert_exact()


@pytest.mark.slow
def test_a_host_name_that_does_not_resolve_ends_the_crawl(crawl: Callable[..., Crawl]) -> None:
    offline = crawl("--movies", "50")
    offline.seed()
    offline.environment["TMDB_API_URL"] = "https://api.invalid/3"
    ends_without_settling(offline, "The name api.invalid cannot be resolved")


@pytest.mark.slow
def test_a_page_instead_of_the_api_ends_the_crawl(crawl: Callable[..., Crawl]) -> None:
    blocked = crawl("--movies", "50", "--fault", "html=1")
    blocked.seed()
    ends_without_settling(blocked, "shows a page instead of TMDb's data")


@pytest.mark.slow
def test_a_page_that_comes_in_mid_crawl_is_waited_out_and_said(crawl: Callable[..., Crawl]) -> None:
    captive = crawl("--movies", "600", RATE_LIMIT="100")
    job = captive.start_command([sys.executable, "-m", "scrapy", "job", "movies"])
    captive.await_settled(100)
    captive.sandbox.set(faults={"html": 1})
    job.says(": the API seems to be down: ")
    captive.sandbox.set(faults={})
    assert job.wait() == 0, job.output
    captive.assert_exact()
    assert "a page instead" in job.output


@pytest.mark.slow
def test_a_long_retry_after_is_said_with_the_time_at_which_it_ends(crawl: Callable[..., Crawl]) -> None:
    silenced = crawl("--movies", "300", "--limit-per-ip", "10", "--retry-after", "20", RATE_LIMIT="0")
    job = silenced.start_command([sys.executable, "-m", "scrapy", "job", "movies"])
    job.says("silent until ")
    ends_at = re.search(r"silent until (\d\d:\d\d:\d\d), as TMDb asked", job.output)
    assert ends_at, job.output
    shown = silenced.scrapy("status", "movies", COLUMNS="200")
    assert f"silent until {ends_at[1]}" in shown.output, shown
    job.send(signal.SIGINT)
    assert job.wait() == 130, job.output
