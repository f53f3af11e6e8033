"""Scrapy's own engine, with the shortest way for a request that needs none of its detours. It leans on
Scrapy's private parts, so it is used with the Scrapy versions that it was tested with (`choice.py`)."""
