"""The downloader without slots: the rate governor paces, THREADS limits, there is one host."""

from __future__ import annotations

from scrapy import Request, signals
from scrapy.core.downloader import Downloader
from scrapy.http import Response


class DirectDownloader(Downloader):
    """As Scrapy's, middlewares and signals included, but for the queues that per-host limits need."""

    async def _enqueue_request(self, request: Request) -> Response:
        spider = self.crawler.spider
        self.signals.send_catch_log(signals.request_reached_downloader, request=request, spider=spider)
        try:
            # Scrapy's handlers parse the whole URL to find its scheme.
            handler = self.handlers._get_handler(request.url.partition(":")[0])
            if handler is None:
                response = await self.handlers.download_request_async(request)  # explains why not
            else:
                response = await handler.download_request(request)
            self.signals.send_catch_log(
                signals.response_downloaded, response=response, request=request, spider=spider
            )
            return response
        finally:
            self.signals.send_catch_log(signals.request_left_downloader, request=request, spider=spider)
