"""Scrapy's settings, in the order data flows. What a user decides comes from `.env` and the environment
(see `tmdb_scrapy.config`), and the spiders put it over these; `-s NAME=VALUE` wins over all."""

from typing import Any

from scrapy.settings import default_settings

import tmdb_scrapy

BOT_NAME = "tmdb_scrapy"
SPIDER_MODULES = ["tmdb_scrapy.spiders"]
NEWSPIDER_MODULE = "tmdb_scrapy.spiders"
COMMANDS_MODULE = "tmdb_scrapy.commands"

# The event loop
TWISTED_REACTOR = "twisted.internet.asyncioreactor.AsyncioSelectorReactor"  # Scrapy's default, which we need
ASYNCIO_EVENT_LOOP = "uvloop.Loop"  # half the CPU of asyncio's own

# Requests: CONCURRENT_REQUESTS comes from THREADS / PROCESSES
ADDONS = {"tmdb_scrapy.engine.choice.EngineAddon": 0}  # the parts of the shorter way
WARN_ON_GENERATOR_RETURN_VALUE = False  # parses the source of every callback
SCHEDULER = "tmdb_scrapy.engine.scheduler.DequeScheduler"  # IDs are unique by the ledger
ROBOTSTXT_OBEY = False  # Scrapy's default; an API with a key and terms of use, not a web site
USER_AGENT = tmdb_scrapy.USER_AGENT  # whoever runs the API can tell what asks
COOKIES_ENABLED = False  # the API sets none
REFERER_ENABLED = False
REDIRECT_ENABLED = False  # the API has none; a redirect would carry the key elsewhere
RETRY_ENABLED = False  # the spiders retry by ID, with backoff that blocks no slot
RETRY_TIMES = 5  # failed attempts of an ID that are forgiven; outages do not count
HTTPPROXY_ENABLED = False  # the download handler knows HTTPS_PROXY and the like by itself
COMPRESSION_ENABLED = False  # the download handler decodes, with isal
OFFSITE_ENABLED = False
DEFAULT_REQUEST_HEADERS: dict[str, str] = {}  # the download handler has them, and Scrapy's ask for HTML
DOWNLOADER_STATS = False  # the download handler counts, without composing each request as text
DOWNLOADER_MIDDLEWARES: dict[str, int | None] = {
    # Do nothing for a JSON API, and each costs some microseconds a response.
    "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": None,
    "scrapy.downloadermiddlewares.httpauth.HttpAuthMiddleware": None,
    "scrapy.downloadermiddlewares.downloadtimeout.DownloadTimeoutMiddleware": None,
    "scrapy.downloadermiddlewares.defaultheaders.DefaultHeadersMiddleware": None,
    "scrapy.downloadermiddlewares.useragent.UserAgentMiddleware": None,
    "scrapy.downloadermiddlewares.redirect.MetaRefreshMiddleware": None,
}

# The wire
DOWNLOAD_HANDLERS = {
    "http": "tmdb_scrapy.downloader.handler.TmdbDownloadHandler",
    "https": "tmdb_scrapy.downloader.handler.TmdbDownloadHandler",
}
DOWNLOAD_TIMEOUT = 30  # s; the largest records take a second
DOWNLOAD_VERIFY_CERTIFICATES = True  # Scrapy's default trusts anybody
DOWNLOAD_MAXSIZE = 64 * 1024 * 1024  # bytes; the largest record known has half a megabyte

# Responses
HTTPERROR_ALLOW_ALL = True  # parse judges every status, even when a user's SPIDER_MIDDLEWARES replace ours
CONCURRENT_ITEMS = 1  # one response has one item; 100 would start 100 tasks a response
SPIDER_MIDDLEWARES: dict[str, int | None] = {
    # With none at all, a response goes from the wire to parse in one task.
    "scrapy.spidermiddlewares.httperror.HttpErrorMiddleware": None,
    "scrapy.spidermiddlewares.referer.RefererMiddleware": None,
    "scrapy.spidermiddlewares.urllength.UrlLengthMiddleware": None,
    "scrapy.spidermiddlewares.depth.DepthMiddleware": None,
    "scrapy.spidermiddlewares.metacopy.MetaCopyDetectionMiddleware": None,
    "scrapy.spidermiddlewares.start.StartSpiderMiddleware": None,
}

# Items
ITEM_PIPELINES = {
    "tmdb_scrapy.pipelines.filter.FilterPipeline": 100,
    "tmdb_scrapy.pipelines.part_writer.PartWriterPipeline": 900,
}

FEED_EXPORTERS: dict[str, str | None] = {  # of -o FILE, beside the parts
    **dict.fromkeys(("jsonlines", "jsonl", "jl"), "tmdb_scrapy.records.item_exporter.RecordLines"),
    **dict.fromkeys(("json", "xml")),  # cannot hold a body: Scrapy refuses such a file at once
}

# Outcomes
EXTENSIONS: dict[str, int | None] = {
    "tmdb_scrapy.extensions.pacing.PacingExtension": 10,
    "tmdb_scrapy.extensions.heartbeat.HeartbeatExtension": 20,
    "tmdb_scrapy.extensions.settlement.SettlementExtension": 30,
}

# Scrapy imports what is switched off as well. These two brought a web server and the list of all public
# suffixes, a sixth of the time from start to first request.
EXTENSIONS_BASE = {
    path: order for path, order in default_settings.EXTENSIONS_BASE.items() if "RemoteControl" not in path
}
DOWNLOADER_MIDDLEWARES_BASE = {
    path: order
    for path, order in default_settings.DOWNLOADER_MIDDLEWARES_BASE.items()
    if "CookiesMiddleware" not in path
}

# Watching
LOG_LEVEL = "INFO"  # a line a request would be a million lines
LOG_FORMATTER = "tmdb_scrapy.watch.logformatter.TmdbLogFormatter"
TELNETCONSOLE_HOST = "127.0.0.1"  # Scrapy's default, and it must stay so
REMOTE_CONTROL_ENABLED = False  # an HTTP server that runs code is not wanted beside an API key

TMDB_CONFIG: Any = None  # the Config; set by the spiders
