"""A stock scrapy-redis project."""
