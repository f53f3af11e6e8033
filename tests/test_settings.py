"""The settings page: names that exist, components that load, no secrets."""

from __future__ import annotations

import pytest
from scrapy import Request, Spider
from scrapy.core.spidermw import SpiderMiddlewareManager
from scrapy.http import TextResponse
from scrapy.settings import BaseSettings, Settings, default_settings
from scrapy.utils.misc import load_object
from scrapy.utils.test import get_crawler

from tmdb_scrapy import settings as page
from tmdb_scrapy.config import Config

OURS = {name: getattr(page, name) for name in dir(page) if name.isupper()}
BY_OTHERS = {
    "COMMANDS_MODULE",  # read by Scrapy's command line, without a default
    "TMDB_CONFIG",
}
SAID_FOR_SAFETY = {"ROBOTSTXT_OBEY", "TELNETCONSOLE_HOST", "TWISTED_REACTOR"}
"""Scrapy's defaults that must not change with Scrapy."""
COMPONENTS = {
    "SCHEDULER",
    "LOG_FORMATTER",
    "DOWNLOAD_HANDLERS",
    "FEED_EXPORTERS",
    "DOWNLOADER_MIDDLEWARES",
    "SPIDER_MIDDLEWARES",
    "ITEM_PIPELINES",
    "EXTENSIONS",
}


@pytest.mark.parametrize("name", sorted(OURS.keys() - BY_OTHERS))
def test_the_name_is_one_of_scrapys(name: str) -> None:
    """A misspelt setting is silently ignored."""
    optional = {
        "REDIRECT_ENABLED", "REFERER_ENABLED", "OFFSITE_ENABLED", "REMOTE_CONTROL_ENABLED",
        "ASYNCIO_EVENT_LOOP",
    }  # fmt: skip
    assert hasattr(default_settings, name) or name in optional


@pytest.mark.parametrize("name", sorted(OURS.keys() - BY_OTHERS - COMPONENTS - SAID_FOR_SAFETY))
def test_the_value_differs_from_scrapys(name: str) -> None:
    assert getattr(default_settings, name, None) != OURS[name]


@pytest.mark.parametrize("name", sorted(COMPONENTS))
def test_every_component_loads(name: str) -> None:
    value = OURS[name]
    for path in [value] if isinstance(value, str) else [*value, *value.values()]:
        if isinstance(path, str) and "." in path:
            assert load_object(path)


@pytest.mark.parametrize("name", ["DOWNLOADER_MIDDLEWARES", "SPIDER_MIDDLEWARES"])
def test_what_is_switched_off_is_what_scrapy_switches_on(name: str) -> None:
    off = {path for path, order in OURS[name].items() if order is None}
    assert off <= getattr(default_settings, f"{name}_BASE").keys()


@pytest.mark.parametrize("status", [200, 401, 404, 500])
def test_a_users_own_spider_middlewares_bring_none_back_that_drops_an_answer(status: int) -> None:
    """A user's SPIDER_MIDDLEWARES replace ours, and what those switch off is on again."""
    bare = {"SPIDER_MIDDLEWARES": {}, "EXTENSIONS": {}, "ITEM_PIPELINES": {}, "ASYNCIO_EVENT_LOOP": None}
    crawler = get_crawler(Spider, OURS | bare)
    response = TextResponse("http://localhost/", status=status, request=Request("http://localhost/"))
    checks = SpiderMiddlewareManager.from_crawler(crawler).methods["process_spider_input"]
    assert checks
    for check in checks:
        assert check is not None and check(response) is None


def test_certificates_are_verified() -> None:
    assert page.DOWNLOAD_VERIFY_CERTIFICATES is True


def test_consoles_are_on_loopback_or_off() -> None:
    assert page.TELNETCONSOLE_HOST == "127.0.0.1"
    assert page.REMOTE_CONTROL_ENABLED is False


def test_the_filter_comes_before_the_writer() -> None:
    pipelines = sorted(page.ITEM_PIPELINES, key=lambda path: page.ITEM_PIPELINES[path])
    assert [path.rpartition(".")[2] for path in pipelines] == ["FilterPipeline", "PartWriterPipeline"]


def test_no_secret_is_a_setting() -> None:
    names = {name for name in OURS if "KEY" in name or "PASSWORD" in name or "REDIS" in name}
    assert names == set()


def test_the_configuration_among_the_settings_shows_none() -> None:
    config = Config.load({"TMDB_API_KEY": "fedcba98" * 4, "REDIS_URL": "redis://:hush@localhost/0"})
    settings: BaseSettings = Settings({"TMDB_CONFIG": config})
    for text in (repr(settings["TMDB_CONFIG"]), repr(settings.copy_to_dict()), str(dict(settings))):
        assert "fedcba98" not in text
        assert "hush" not in text
