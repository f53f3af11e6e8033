"""The shorter way is gone with the Scrapy versions that it was tested with, and never otherwise."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable

import pytest
import scrapy
from scrapy.crawler import Crawler
from scrapy.settings import default_settings

from tmdb_scrapy.config import Config
from tmdb_scrapy.engine.choice import COMPONENTS, crawler_class
from tmdb_scrapy.engine.crawler import TmdbCrawler
from tmdb_scrapy.engine.direct_crawler import DirectCrawler

ANOTHER = ("2.19.1", "2.20.0", "3.0.0")


def parts(crawler: Crawler) -> dict[str, str]:
    return {name: crawler.settings[name] for name in COMPONENTS}


SCRAPYS = {name: getattr(default_settings, name) for name in COMPONENTS}


def test_the_tested_scrapy_goes_the_shorter_way(
    make_crawler: Callable[..., Crawler], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        crawler = make_crawler()
    assert parts(crawler) == COMPONENTS
    assert crawler_class(crawler.settings["TMDB_CONFIG"]) is DirectCrawler
    assert "own engine" not in caplog.text


@pytest.mark.parametrize("version", ANOTHER)
def test_another_scrapy_goes_its_own_way_and_one_line_says_so(
    version: str,
    make_crawler: Callable[..., Crawler],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(scrapy, "__version__", version)
    with caplog.at_level(logging.INFO):
        crawler = make_crawler()
    assert parts(crawler) == SCRAPYS
    assert crawler_class(crawler.settings["TMDB_CONFIG"]) is TmdbCrawler
    assert [line.getMessage() for line in caplog.records if "own engine" in line.getMessage()] == [
        f"Scrapy {version}'s own engine is used, at half the speed: "
        "the shorter way was tested with Scrapy 2.19.0 alone"
    ]


def test_a_user_may_want_scrapys_own(make_crawler: Callable[..., Crawler]) -> None:
    crawler = make_crawler(TMDB_ENGINE="scrapy")
    assert parts(crawler) == SCRAPYS
    assert crawler_class(crawler.settings["TMDB_CONFIG"]) is TmdbCrawler


def test_a_users_own_part_stays_where_the_shorter_way_is_gone(make_crawler: Callable[..., Crawler]) -> None:
    assert make_crawler({"DOWNLOADER": "my.own"}).settings["DOWNLOADER"] == "my.own"


def test_what_leans_on_scrapys_private_parts_is_not_even_imported_with_another() -> None:
    code = (
        "import scrapy, sys; scrapy.__version__ = '2.99.0'\n"
        "from tmdb_scrapy.config import Config\n"
        "from tmdb_scrapy.engine.choice import crawler_class\n"
        "import tmdb_scrapy.spiders.of_kinds, tmdb_scrapy.commands.crawl\n"
        "crawler_class(Config.load({}))\n"
        "print(*sorted(name for name in sys.modules if name.startswith('tmdb_scrapy.engine.')))\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.split() == [
        f"tmdb_scrapy.engine.{name}" for name in ("choice", "crawler", "insides", "scheduler")
    ]


@pytest.mark.parametrize("word", ["own", "1", "scrapy2"])
def test_any_other_word_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match=f"TMDB_ENGINE='{word}': must be direct or scrapy"):
        Config.load({"TMDB_ENGINE": word})
