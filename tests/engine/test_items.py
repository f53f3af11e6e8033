"""An item goes through all pipelines in their order, waiting only for those that are asynchronous."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from scrapy import Spider
from scrapy.exceptions import DropItem
from scrapy.utils.test import get_crawler
from twisted.internet.defer import Deferred, succeed

from tmdb_scrapy.engine.items import DirectItems


class Synchronous:
    def process_item(self, item: list[str]) -> list[str]:
        return [*item, "synchronous"]


class Asynchronous:
    async def process_item(self, item: list[str]) -> list[str]:
        await asyncio.sleep(0)
        return [*item, "asynchronous"]


class WithDeferred:
    def process_item(self, item: list[str]) -> Deferred[list[str]]:
        return succeed([*item, "deferred"])


class WithSpider:
    """As pipelines were before Scrapy 2.13."""

    def process_item(self, item: list[str], spider: Spider) -> list[str]:
        return [*item, spider.name]


class OnlyOpens:
    def open_spider(self) -> None:
        """It processes nothing."""


class Drops:
    def process_item(self, item: list[str]) -> list[str]:
        raise DropItem("not this one")


class DropsLater:
    async def process_item(self, item: list[str]) -> list[str]:
        await asyncio.sleep(0)
        raise DropItem("not this one")


class Unreached:
    def process_item(self, item: list[str]) -> list[str]:
        raise AssertionError("a dropped item goes on")


def processed(*pipelines: type) -> Any:
    crawler = get_crawler(settings_dict={"ITEM_PIPELINES": {p: n for n, p in enumerate(pipelines)}})
    crawler.spider = Spider.from_crawler(crawler, name="spider")
    return asyncio.run(DirectItems.from_crawler(crawler).process_item_async(["made"]))


def test_without_pipelines_it_comes_out_as_it_went_in() -> None:
    assert processed() == ["made"]


def test_every_kind_of_pipeline_takes_its_turn() -> None:
    way = processed(Synchronous, Asynchronous, OnlyOpens, WithDeferred, WithSpider)
    assert way == ["made", "synchronous", "asynchronous", "deferred", "spider"]


@pytest.mark.parametrize("dropping", [Drops, DropsLater])
def test_a_dropped_one_goes_no_further(dropping: type) -> None:
    with pytest.raises(DropItem, match="not this one"):
        processed(Synchronous, dropping, Unreached)


def test_a_synchronous_pipeline_costs_no_turn_of_the_event_loop() -> None:
    crawler = get_crawler(settings_dict={"ITEM_PIPELINES": {Synchronous: 1}})
    coroutine = DirectItems.from_crawler(crawler).process_item_async([])
    with pytest.raises(StopIteration) as ended:
        coroutine.send(None)
    assert ended.value.value == ["synchronous"]
