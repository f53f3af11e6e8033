"""``scrapy crawl KIND``: one worker, until the queue is drained."""

from __future__ import annotations

import argparse
from typing import Any

from scrapy.commands.crawl import Command as ScrapyCrawl
from scrapy.exceptions import UsageError

from tmdb_scrapy.commands.base import BAD_USE, INTERRUPTED, complain, remark
from tmdb_scrapy.config import Config, ConfigError
from tmdb_scrapy.engine.choice import crawler_class
from tmdb_scrapy.kinds import KINDS

HOW_TO_GET_A_KEY = (
    "TMDB_API_KEY: is missing; put a v3 key or a v4 read access token into .env "
    "(free at https://www.themoviedb.org/settings/api)"
)


class Command(ScrapyCrawl):
    """Scrapy's own ``crawl`` with an honest exit code: 0 only when every ID of the queue is settled, 130 when
    it was interrupted, 2 for a bad configuration, 1 for everything else."""

    def short_desc(self) -> str:
        return "Fetch the queued IDs: one worker, any number at once"

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        assert self.settings is not None
        try:
            config = Config.from_settings(self.settings)
            for each in config.remarks:
                remark(each)
            if not config.tmdb_api_key:
                raise ConfigError([HOW_TO_GET_A_KEY])
            crawler = self._crawl(args, opts, config)
        except ConfigError as error:
            self.exitcode = complain(str(error), BAD_USE)
            return
        self.exitcode = self._judge(crawler)

    def _crawl(self, args: list[str], opts: argparse.Namespace, config: Config) -> Any:
        if len(args) != 1:
            raise UsageError(f"say which spider: scrapy crawl {'|'.join(KINDS)}")
        assert self.crawler_process is not None
        try:
            spider = self.crawler_process.spider_loader.load(args[0])
        except KeyError as error:
            raise UsageError(f"{error.args[0]}: say one of {', '.join(KINDS)}") from None
        crawler = crawler_class(config)(spider, self.settings)
        self.crawler_process.crawl(crawler, **opts.spargs)
        self.crawler_process.start()
        return crawler

    def _judge(self, crawler: Any) -> int:
        reason = crawler.stats.get_value("finish_reason") if crawler.stats else None
        if reason == "finished":
            return 0
        # A signal that comes before the spider is open leaves no reason.
        early = (
            reason is None and self.crawler_process is not None and not self.crawler_process.bootstrap_failed
        )
        if reason == "shutdown" or early:
            return INTERRUPTED
        message = (
            getattr(getattr(crawler.spider, "worker", None), "close_message", "")
            or f"the crawl ended early ({reason})"
        )
        complain(message)
        return 1
