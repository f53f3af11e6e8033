"""The stats of a whole crawl are those that docs/stats.md describes."""

from __future__ import annotations

import re
from collections.abc import Callable

from crawl import Crawl
from documents import rows, text_of

PAGE = text_of("docs/stats.md")
DESCRIBED = [
    re.compile(re.sub(r"[A-Z]+", r"[\\w.]+", name))
    for name in rows(PAGE, "The program's own") | rows(PAGE, "Scrapy's")
]


def test_every_stat_of_a_crawl_is_described(crawl: Callable[..., Crawl]) -> None:
    some = crawl("--movies", "200", "--fault", "500=0.05", "--fault", "429=0.05", RATE_LIMIT="0")
    some.seed()
    (worker,) = some.start()
    assert worker.wait() == 0
    dumped = worker.output.partition("Dumping Scrapy stats")[2]
    counted = re.findall(r"^[ {]'([^']+)': ", dumped, re.M)
    assert "settled/kept" in counted
    assert [name for name in counted if not any(like.fullmatch(name) for like in DESCRIBED)] == []
