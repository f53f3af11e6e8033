"""Collects The Movie Database: a Scrapy project whose workers share one queue in Redis."""
