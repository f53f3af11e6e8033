"""Where the time goes: our crawl under py-spy, as a flame graph."""

from __future__ import annotations

from pathlib import Path

from benchmarks.bodies import TMDB_LIKE
from benchmarks.crawlers import Crawler, Task, ours, start_ours
from benchmarks.workbench import Workbench

SAMPLES_A_SECOND = 500


def profile(bench: Workbench, output: Path) -> None:
    """Write a flame graph (SVG) of one crawl at full speed to `output`. py-spy must be on the PATH."""
    spy = ["py-spy", "record", "--rate", str(SAMPLES_A_SECOND), "--output", str(output.resolve()), "--"]
    plain = ours()
    spied = Crawler(
        "tmdb-scrapy under py-spy",
        plain.prepare,
        lambda task, cores: start_ours(task, cores, wrapper=spy),
        plain.written,
    )
    server = bench.server(TMDB_LIKE, bench.sizes.movies)
    task: Task = bench.task(server, len(server.ids), name="profile")
    bench.crawl(spied, task)
