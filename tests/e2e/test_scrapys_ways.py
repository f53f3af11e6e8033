"""Settings and commands of Scrapy's that are not about leased IDs, and Scrapy's next release."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from crawl import API_KEY, Crawl


def test_download_delay_holds_from_the_first_request_to_the_last(crawl: Callable[..., Crawl]) -> None:
    slow = crawl("--movies", "40", RATE_LIMIT="0", PROCESSES="1")
    slow.seed()
    slow.start(1, "-s", "DOWNLOAD_DELAY=0.1")
    slow.finish()
    times = sorted(entry.t for entry in slow.journal())
    assert times[-1] - times[0] >= 0.1 * (len(times) - 1) * 0.95


@pytest.mark.parametrize(
    "command",
    [
        ("fetch", "--nolog"),
        ("fetch", "--nolog", "--spider", "movies"),
        ("shell", "--nolog", "-c", "response.text"),
    ],
)
def test_a_url_of_the_api_can_be_looked_at(crawl: Callable[..., Crawl], command: tuple[str, ...]) -> None:
    curious = crawl("--movies", "40")
    kept = next(number for number, end in curious.expected().items() if end == "kept")
    url = f"{curious.environment['TMDB_API_URL']}/movie/{kept}"
    name, *options = command
    ended = curious.scrapy(name, *options, url)
    assert ended.code == 0 and API_KEY not in ended.output, ended
    assert json.loads(ended.output)["id"] == kept
    assert [entry.key for entry in curious.journal()] == [API_KEY]


@pytest.mark.parametrize("release", ["2.19.0", "2.99.0"], ids=["-s TMDB_ENGINE=scrapy", "next release"])
def test_scrapys_own_engine_is_used_and_one_line_says_so(crawl: Callable[..., Crawl], release: str) -> None:
    other = crawl("--movies", "200", "--fault", "500=0.05", RATE_LIMIT="0")
    (other.directory / "sitecustomize.py").write_text(f"import scrapy\nscrapy.__version__ = {release!r}\n")
    other.environment["PYTHONPATH"] += f":{other.directory}"
    other.seed()
    (worker,) = other.start(1, *(("-s", "TMDB_ENGINE=scrapy") if release == "2.19.0" else ()))
    other.finish()
    other.assert_exact()
    assert worker.output.count(f"Scrapy {release}'s own engine is used") == 1
