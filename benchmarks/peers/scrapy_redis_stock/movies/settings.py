"""What scrapy-redis's README says to set, and what differs here from Scrapy's defaults: the concurrency."""

import os

SPIDER_MODULES = ["movies.spiders"]

SCHEDULER = "scrapy_redis.scheduler.Scheduler"
DUPEFILTER_CLASS = "scrapy_redis.dupefilter.RFPDupeFilter"
REDIS_URL = os.environ["REDIS_URL"]
MAX_IDLE_TIME_BEFORE_CLOSE = 1  # s; otherwise it waits for more for ever

CONCURRENT_REQUESTS = int(os.environ["THREADS"])
CONCURRENT_REQUESTS_PER_DOMAIN = CONCURRENT_REQUESTS
