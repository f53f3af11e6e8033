"""Seeding a whole day's export: time, and bytes an ID in Redis."""

from __future__ import annotations

import sys
from pathlib import Path

import redis

from benchmarks.bodies import SEED
from benchmarks.figures import Goal, Outcome
from benchmarks.processes import Ran, run
from benchmarks.workbench import Workbench
from tmdb_scrapy.sandbox.catalogue.generated import GeneratedCatalogue
from tmdb_scrapy.sandbox.server.calendar import Calendar
from tmdb_scrapy.sandbox.server.export import Export, ExportFile

SECONDS = Goal(8, at_most=True)
BYTES_AN_ID = Goal(20, at_most=True)


def seeding(bench: Workbench) -> Outcome:
    """`scrapy seed movies` from a file that is there already, as a whole process."""
    outcome = Outcome("seeding")
    ids = bench.sizes.ids
    export = write_export(bench.place, ids)
    with redis.Redis.from_url(bench.redis_url) as client:
        client.flushall()
        empty_bytes = used_bytes(client)
        ran = seed(bench, export, "seeding")
        used = used_bytes(client) - empty_bytes
        client.flushall()
    outcome.add(f"seeding {ids:,} IDs", "s", [ran.wall_s], SECONDS)
    outcome.add("memory of Redis", "bytes an ID", [used / ids], BYTES_AN_ID)
    outcome.add("processor time of the command", "s", [ran.cpu_s])
    outcome.add("peak memory of the command", "MB", [ran.peak_bytes / 1e6])
    return outcome


def write_export(directory: Path, ids: int) -> Path:
    """A day's export with so many movies, as sparse as TMDb's."""
    path = directory / f"export-{ids}.json.gz"
    if not path.exists():
        path.write_bytes(_export(ids))
    return path


def _export(ids: int) -> bytes:
    return Export(Calendar(GeneratedCatalogue({"movies": ids}, SEED))).file(ExportFile("movies", 0))


def seed(bench: Workbench, export: Path, name: str) -> Ran:
    """Run `scrapy seed` on an export."""
    directory = bench.new_directory(name)
    command = [sys.executable, "-m", "scrapy", "seed", "movies", "--file", str(export)]
    environment = command_environment(bench, directory / "data")
    return run(command, directory, environment, bench.cores.crawler)


def command_environment(bench: Workbench, data_dir: Path) -> dict[str, str]:
    """Of the project's commands that ask no API."""
    return {
        **bench.environment,
        "SCRAPY_SETTINGS_MODULE": "tmdb_scrapy.settings",
        "REDIS_URL": bench.redis_url,
        "DATA_DIR": str(data_dir),
    }


def used_bytes(client: redis.Redis) -> int:
    """What the data take, by the allocator's own count, without the buffers of clients and of the append-only
    file. (MEMORY USAGE takes 240 bytes for each node of a stream's tree, a fifth too much in all.)"""
    return int(client.info("memory")["used_memory_dataset"])
