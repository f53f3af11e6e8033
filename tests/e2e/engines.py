"""Marks of the few tests that run with Scrapy's own engine too, which any other release of Scrapy gets."""

from __future__ import annotations

import pytest

with_both_engines = pytest.mark.parametrize("engine", ["direct", "scrapy"], indirect=True)
with_scrapys_own_engine = pytest.mark.parametrize("engine", ["scrapy"], indirect=True)
