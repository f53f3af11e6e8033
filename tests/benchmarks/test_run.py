"""The benchmarks run, as a user would run them, on sizes that measure nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


def bench(directory: Path, *arguments: str) -> dict[str, Any]:
    """Run tiny benchmarks; answers what they saved."""
    command = [
        sys.executable, "-m", "benchmarks.run", "--quick", "--movies=60", "--results", str(directory),
        *arguments,
    ]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    saved: dict[str, Any] = json.loads((directory / "latest.json").read_bytes())
    return saved


def figures(saved: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {figure["name"]: figure for outcome in saved["outcomes"] for figure in outcome["figures"]}


def test_two_workers_and_a_script_do_the_same_work(tmp_path: Path) -> None:
    saved = bench(tmp_path, "--only=processes", "--server=sandbox")
    found = figures(saved)
    assert found["against aiohttp script"]["unit"] == "×"
    assert found["against aiohttp script"]["goal"] == {"bound": 1.5, "at_most": False}
    ours, script = (found[name]["runs"][0] for name in ("tmdb-scrapy, PROCESSES=2", "aiohttp script"))
    assert found["against aiohttp script"]["runs"][0] == pytest.approx(ours / script, rel=0.01)
    chart = ElementTree.parse(tmp_path / "chart.svg").getroot()
    assert chart.tag == "{http://www.w3.org/2000/svg}svg"
    assert "aiohttp script" in "".join(chart.itertext())


def test_seeding_and_merging_are_measured(tmp_path: Path) -> None:
    found = figures(bench(tmp_path, "--only=seeding,merging", "--ids=500", "--merge-lines=200"))
    assert 1 < found["memory of Redis"]["runs"][0] < 100
    assert found["merging as a multiple of cat"]["runs"][0] > 0
    assert found["growth of the peak for each further line"]["goal"]["at_most"]


def test_a_whole_export_is_crawled_by_two_workers_and_audited(tmp_path: Path) -> None:
    saved = bench(tmp_path, "--only=scale", "--ids=500", "--scale-processes=2")
    found = figures(saved)
    assert found["left in the queue"]["runs"] == [0]
    assert found["the audit's exit code"]["runs"] == [0]
    assert len(found["peak memory of a worker"]["runs"]) == 2
    assert "memory of worker 2 in each tenth of its time" in found


@pytest.mark.slow
def test_the_update_of_a_day_is_measured_with_all_its_processes(tmp_path: Path) -> None:
    found = figures(bench(tmp_path, "--only=day", "--ids=500"))
    assert found["requests to the API"]["runs"][0] > 0
    assert {"peak memory: scrapy update", "peak memory: scrapy crawl"} <= found.keys()
    assert found["processor time of refresh alone"]["runs"][0] > 0


def test_a_paced_crawl_is_shown_beside_what_does_less(tmp_path: Path) -> None:
    found = figures(bench(tmp_path, "--only=paced", "--server=sandbox"))
    shares = [found[f"share of a core{which}"]["runs"][0] for which in (
        " at 40 requests/s", ": bare requests over our connections", ": waking up, doing nothing",
    )]  # fmt: skip
    assert min(shares) == shares[-1] > 0  # in four seconds, the other two may change places


def test_played_workers_do_what_is_due(tmp_path: Path) -> None:
    found = figures(bench(tmp_path, "--only=workers"))
    assert found["beats of those that were due"]["runs"] == [100]
    settled_per_s, wanted_per_s = found["IDs"]["runs"][0], 30 / 14 * 40
    assert 0.4 * wanted_per_s < settled_per_s <= wanted_per_s  # in four seconds, the last have not settled
    assert found["sent by it"]["runs"][0] > 0


def test_a_quick_run_is_not_saved_beside_real_figures() -> None:
    latest = ROOT / "benchmarks/results/latest.json"
    before = latest.read_bytes()
    command = [sys.executable, "-m", "benchmarks.run", "--quick", "--only=seeding", "--ids=500"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    assert "not saved" in done.stderr
    assert latest.read_bytes() == before


def test_an_unknown_scenario_is_refused() -> None:
    command = [sys.executable, "-m", "benchmarks.run", "--only", "nonsense"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "no such scenario: nonsense" in done.stderr


def test_a_crawler_that_writes_too_little_is_found_out() -> None:
    """A peer that loses a movie must not look fast."""
    script = """
import dataclasses
from pathlib import Path
from benchmarks.bodies import TMDB_LIKE
from benchmarks.crawlers import PLAIN_AIOHTTP, WrongResult
from benchmarks.workbench import Sizes, Workbench
def loses_one(task):
    path = task.directory / "movies.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(True)[1:]))
    return [path]
with Workbench(Sizes(), "sandbox") as bench:
    with bench.sandbox(TMDB_LIKE, 60) as server:
        careless = dataclasses.replace(PLAIN_AIOHTTP, written=loses_one)
        try:
            bench.crawl(careless, bench.task(server, 60))
        except WrongResult as error:
            print("found out:", error)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert "found out: aiohttp script: wrote" in done.stdout, done.stdout + done.stderr
