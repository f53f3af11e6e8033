"""Tables of movies as TMDb has them, beside what people use instead."""

from __future__ import annotations

import random
import re
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

from benchmarks.bodies import SEED, TMDB_LIKE
from benchmarks.figures import Goal, Outcome, ratios
from benchmarks.processes import ProcessFailed, Ran, run
from benchmarks.scenarios.seeding import command_environment
from benchmarks.workbench import Workbench

PEERS = {
    "pandas, in chunks": ("tables_pandas", "pandas"),
    "polars, a scan a table": ("tables_polars", "polars"),
    "a msgspec + pyarrow script": ("tables_msgspec", "pyarrow"),
}
GOALS = {"pandas, in chunks": Goal(4), "a msgspec + pyarrow script": Goal(0.5)}
"""How many times as fast as each peer this project wants to be: at most twice the time of the script."""
PEAK = Goal(1_000, at_most=True)
LINEAR = Goal(11, at_most=True)
"""Times as long for ten times as many."""
FEW = 10
BYTES_A_MOVIE = 25_000
"""Of disk, for the file and the tables of all that are compared."""
TIMEOUT_S = 4 * 3600
_PERSON = re.compile(rb'"gender":(\d),"id":\d+,')


def tables(bench: Workbench) -> Outcome:
    """`scrapy tables movies` as a whole process, Parquet and DuckDB with all keys, beside scripts that write
    Parquet alone; polars with neither positions nor origins."""
    outcome = Outcome("tables")
    movies = bench.sizes.table_movies
    if shutil.disk_usage(bench.place).free < movies * BYTES_A_MOVIE:
        outcome.remarks.append("left out: it needs more free disk, see --directory")
        return outcome
    place = bench.new_directory("tables")
    few, many = place / "few", place / "many"
    _write(few, movies // FEW)
    _write(many, movies)
    few_s = _ours(bench, few).wall_s
    peers = {name: module for name, (module, needs) in PEERS.items() if find_spec(needs)}
    if missing := PEERS.keys() - peers.keys():
        outcome.remarks.append(f"Left out: {', '.join(sorted(missing))}; pip install '.[readers]'.")
    ours: list[Ran] = []
    theirs: dict[str, list[Ran]] = {name: [] for name in peers}
    for _ in range(bench.sizes.runs):
        ours.append(_ours(bench, many))
        for name, module in peers.items():
            try:
                theirs[name].append(_peer(bench, module, many))
            except ProcessFailed as error:
                outcome.remarks.append(f"{name} failed: {str(error)[-300:]}")
    size = (many / "movies.jsonl").stat().st_size
    outcome.add(f"{movies:,} movies, {size / 1e9:.2f} GB", "s", [ran.wall_s for ran in ours])
    outcome.add("peak memory", "MB", [ran.peak_bytes / 1e6 for ran in ours], PEAK)
    growth = [ran.wall_s / few_s for ran in ours]
    outcome.add(f"time for all as a multiple of that for a {FEW}th", "×", growth, LINEAR)
    for name, runs in theirs.items():
        if len(runs) == len(ours):
            outcome.add(name, "s", [ran.wall_s for ran in runs])
            outcome.add(f"{name}: peak memory", "MB", [ran.peak_bytes / 1e6 for ran in runs])
            times = ratios([ran.wall_s for ran in runs], [ran.wall_s for ran in ours])
            outcome.add(f"against {name}", "×", times, GOALS.get(name))
    shutil.rmtree(place)
    return outcome


def _write(data_dir: Path, movies: int) -> None:
    """A merged file. The sandbox's credits name 600 people; here there are two a movie, and some often."""
    data_dir.mkdir(parents=True)
    draw = random.Random(SEED)

    def somebody(found: re.Match[bytes]) -> bytes:
        return b'"gender":%b,"id":%d,' % (found[1], 1 + int(2 * movies * draw.random() ** 3))

    with (data_dir / "movies.jsonl").open("wb", buffering=1 << 20) as file:
        file.writelines(_PERSON.sub(somebody, body) + b"\n" for _, body in TMDB_LIKE.movies(movies))


def _ours(bench: Workbench, data_dir: Path) -> Ran:
    command = [sys.executable, "-m", "scrapy", "tables", "movies"]
    ran = run(command, data_dir / "ours", command_environment(bench, data_dir), timeout_s=TIMEOUT_S)
    shutil.rmtree(data_dir / ".tables")
    (data_dir / "tables").unlink()
    return ran


def _peer(bench: Workbench, module: str, data_dir: Path) -> Ran:
    target = bench.new_directory(module)
    target.mkdir()
    command = [
        sys.executable,
        "-m",
        f"benchmarks.peers.{module}",
        str(data_dir / "movies.jsonl"),
        str(target),
    ]
    environment = bench.environment | {"PYTHONPATH": str(Path(__file__).parents[2])}
    ran = run(command, target / "log", environment, timeout_s=TIMEOUT_S)
    shutil.rmtree(target)
    return ran
