"""Hosts whose homes are one folder, as with NFS: what is shared is done once, what is not is kept apart."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from controller import Controller
from network import Machine, Network

from tmdb_scrapy.sandbox.server.process import SandboxProcess

MOVIES = 1000
DEADLINE_S = 120.0

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_a_shared_home_is_served_once(
    lan: Network, controller_of: Callable[[Network, list[Machine]], Controller]
) -> None:
    home = lan.shared_home()
    main, second, third = machines = [lan.add(name, shared_home=home) for name in ("main", "second", "third")]
    loner = lan.add("loner")
    controller = controller_of(lan, [*machines, loner])
    with SandboxProcess([*lan.https, "--movies", str(MOVIES)]) as sandbox:
        controller.write_env(
            REMOTE_USER="fleet",
            REMOTE_HOST=main.address,
            REMOTE_WORKING_DIR="tmdb",
            TMDB_API_URL=sandbox.api_url,
            TMDB_EXPORT_URL=sandbox.export_url,
            RATE_LIMIT=1,  # so that the workers have work until they are killed, however slow the machine
        )
        said = controller.make("remote_all")
        assert said.count(f"shared, kept by {main.address}") == 3
        assert line_of(said, loner).split("│")[2].strip() == "own"

        assert sorted(folder.name for folder in (home / "tmdb" / "run").iterdir()) == [
            "main",
            "second",
            "third",
        ]
        assert " 1 " in line_of(controller.make("stop", HOSTS=second.address), second)
        assert "still write to these parts" in controller.make("upload-parts", ok=False)
        refused = controller.make("clean", ok=False, YES="1")
        assert f"workers still run on {main.address}, {third.address}" in refused
        assert "which HOSTS leaves out" in controller.make("clean", ok=False, YES="1", HOSTS=second.address)
        assert (home / "tmdb" / ".env").exists()
        assert " 1 " in line_of(controller.make("kill", HOSTS=f"{main.address},{third.address}"), main)
        assert (home / "tmdb" / "run" / "main" / "redis.json").exists(), "kill took Redis along"
        controller.make("stop", HOSTS=loner.address)
        controller.make("launch", RATE_LIMIT="0")  # all four anew
        until = time.monotonic() + DEADLINE_S
        while any(machine.run("pgrep", "-f", "crawl", check=False) for machine in (*machines, loner)):
            assert time.monotonic() < until, "the crawl does not end"
            time.sleep(0.2)

        said = controller.make("collect")
        assert said.count(f"see {main.address}") == 2
        kept = [outcome for outcome in sandbox.expected("movies").values() if outcome == "kept"]
        merged = (controller.directory / "data" / "movies.jsonl").read_bytes().splitlines()
        assert len(merged) == len(kept)
        controller.make("stop")
        controller.make("clean", YES="1")
        assert list(home.iterdir()) == []


def line_of(report: str, machine: Machine) -> str:
    """A machine's line of a report."""
    return next(line for line in report.splitlines() if line.startswith(f"│ {machine.address} "))
