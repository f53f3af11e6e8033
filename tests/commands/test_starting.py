"""What starting any command costs: Scrapy imports all of them to run one, a worker among them."""

from __future__ import annotations

import subprocess
import sys

FOR_ALL = {"dotenv", "hiredis", "isal", "msgspec", "redis"}
"""What every command needs beside Scrapy and what that brings: the configuration, Redis, records."""
OF_ONE = ("tmdb_scrapy.sandbox.", "tmdb_scrapy.nextcloud", "tmdb_scrapy.downloader", "tmdb_scrapy.spiders")
"""What only some commands need and takes long to load, or much memory."""
LOADED = """
import importlib, pkgutil, sys
import scrapy.cmdline, scrapy.commands.crawl, packaging.version
before = set(sys.modules)
commands = importlib.import_module("tmdb_scrapy.commands")
for each in pkgutil.iter_modules(commands.__path__):
    importlib.import_module(f"{commands.__name__}.{each.name}")
print(*sys.modules.keys() - before)
"""


def test_a_command_imports_what_is_heavy_where_it_runs() -> None:
    told = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True).stdout
    loaded = set(told.split())
    assert "tmdb_scrapy.commands.status" in loaded
    packages = {name.partition(".")[0] for name in loaded} - sys.stdlib_module_names - {"tmdb_scrapy"}
    assert packages <= FOR_ALL
    assert not {"sqlite3", *(name for name in loaded if name.startswith(OF_ONE))} & loaded
