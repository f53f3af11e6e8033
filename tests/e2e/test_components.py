"""A user's own components see what Scrapy shows them, and cannot make the crawl lose or invent a movie."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from crawl import Crawl
from engines import with_both_engines

USERS_CODE = """
class Extras:
    'A spider middleware that makes an item of its own of each response, before the record.'
    def process_spider_output(self, response, result):
        yield {"id": response.meta["claim"].id, "status": response.status}
        yield from result
    async def process_spider_output_async(self, response, result):
        yield {"id": response.meta["claim"].id, "status": response.status}
        async for item in result:
            yield item

class Plain:
    'A pipeline that turns records into something else.'
    def process_item(self, item):
        return {"id": item.id} if item.id % 2 else item

class Webhook:
    'A pipeline whose server is down for some.'
    def process_item(self, item):
        if item.id % 5 == 0:
            raise ConnectionRefusedError("my webhook is down")
        return item
"""
PART_WRITER = {"tmdb_scrapy.pipelines.part_writer.PartWriterPipeline": 900}
FAULTS = ("--fault", "500=0.05", "--fault", "malformed=0.05")


def with_users_code(crawl: Crawl) -> Crawl:
    (crawl.directory / "users_code.py").write_text(USERS_CODE)
    crawl.environment["PYTHONPATH"] += f":{crawl.directory}"
    crawl.seed()
    return crawl


def setting(name: str, components: Mapping[str, int]) -> list[str]:
    return ["-s", f"{name}={json.dumps(components)}"]


@with_both_engines
def test_items_beside_the_records_decide_nothing(crawl: Callable[..., Crawl]) -> None:
    own = with_users_code(crawl("--movies", "400", *FAULTS, RATE_LIMIT="0"))
    (worker,) = own.start(1, *setting("SPIDER_MIDDLEWARES", {"users_code.Extras": 500}))
    own.finish()
    own.assert_exact()
    assert "has no line in the part" in worker.output


@with_both_engines
def test_a_record_that_became_something_else_is_not_kept(crawl: Callable[..., Crawl]) -> None:
    own = with_users_code(crawl("--movies", "60", RATE_LIMIT="0", FILTER="off"))
    (worker,) = own.start(1, *setting("ITEM_PIPELINES", {"users_code.Plain": 500} | PART_WRITER))
    own.finish()
    odd = {number for number, end in own.expected().items() if end == "kept" and number % 2}
    assert odd
    own.assert_exact(failed=frozenset(odd))
    assert "a dict came out of the pipelines and has no line in the part" in worker.output


@with_both_engines
def test_a_pipeline_whose_server_is_down_is_no_full_disk(crawl: Callable[..., Crawl]) -> None:
    own = with_users_code(crawl("--movies", "60", RATE_LIMIT="0", FILTER="off"))
    own.start(1, *setting("ITEM_PIPELINES", {"users_code.Webhook": 500} | PART_WRITER))
    own.finish()
    fifth = {number for number, end in own.expected().items() if end == "kept" and number % 5 == 0}
    assert fifth
    own.assert_exact(failed=frozenset(fifth))


def test_scrapys_own_scheduler_leases_no_more_than_it_is_given(crawl: Callable[..., Crawl]) -> None:
    own = crawl("--movies", "2000", "--latency-ms", "50", RATE_LIMIT="0", THREADS="10", PROCESSES="1")
    own.seed()
    own.start(1, "-s", "SCHEDULER=scrapy.core.scheduler.Scheduler")
    own.await_settled(100)
    assert own.redis.xpending("{movies}:queue", "crawlers")["pending"] < 500
    own.finish()
    own.assert_exact()


def test_scrapy_parse_shows_the_item_of_a_url(crawl: Callable[..., Crawl]) -> None:
    own = crawl("--movies", "30")
    kept = next(number for number, end in own.expected().items() if end == "kept")
    url = f"{own.sandbox.api_url}/movie/{kept}?append_to_response=credits"
    ended = own.scrapy("parse", "--spider=movies", url, "--nolinks", "--nocolour")
    assert ended.code == 0 and f"'id': {kept}" in ended.output, ended
