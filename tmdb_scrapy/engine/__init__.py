"""Scrapy's own engine, with the shortest way for a request that needs none of its detours."""

from tmdb_scrapy.engine.crawler import TmdbCrawler

__all__ = ["TmdbCrawler"]
