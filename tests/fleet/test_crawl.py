"""A whole crawl on a fleet that suffers: a host dies and comes back, one is cut off, one joins, all are
stopped and started again; the merged file is exact."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import redis
from controller import API_KEY, Controller
from network import Machine, Network
from nextcloud_server import TOKEN, NextcloudServer

from tmdb_scrapy.sandbox.server.process import SandboxProcess

MOVIES = 4000
HAS_PARTS = "find /home/fleet/*/data/movies/parts -type f -name '*.jsonl' -o -type f -name '*.index'"
LIMIT_PER_S = 50
WORKING_DIR = '~/it\'s "my" $HOME fleet'
DEADLINE_S = 120.0
UPLOAD_PASSWORD = "open-sesame-for-parts"
CLOUD_KEY = "wJalrXUtnFEMI"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.fixture
def sandbox(lan: Network) -> Iterator[SandboxProcess]:
    """TMDb, with a limit for each host's address."""
    options = [*lan.https, "--movies", str(MOVIES), "--limit-per-ip", str(LIMIT_PER_S)]
    with SandboxProcess(options) as running:
        yield running


class Progress:
    """What Redis says."""

    def __init__(self, url: str) -> None:
        self.redis = redis.Redis.from_url(url, decode_responses=True)

    def settled(self) -> int:
        return MOVIES - int(self.redis.xlen("{movies}:queue"))

    def workers(self) -> list[str]:
        names = self.redis.scan_iter(match="{movies}:worker:*")
        return sorted({json.loads(beat)["host"] for name in names if (beat := self.redis.get(name))})

    def wait(self, what: str, reached: Callable[[], bool]) -> None:
        until = time.monotonic() + DEADLINE_S
        while not reached():
            assert time.monotonic() < until, f"{what}: {self.settled()} settled, workers on {self.workers()}"
            time.sleep(0.1)


@contextmanager
def command_lines() -> Iterator[set[bytes]]:
    """All command lines that any process of any machine had meanwhile, as `ps` shows them."""
    seen: set[bytes] = set()
    enough = threading.Event()

    def watch() -> None:
        while not enough.wait(0.02):
            for process in Path("/proc").glob("[0-9]*"):
                try:
                    seen.add((process / "cmdline").read_bytes())
                except OSError:
                    continue  # it has ended

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        enough.set()
        watcher.join()


def test_a_suffering_fleet_collects_every_movie(
    lan: Network, sandbox: SandboxProcess, controller_of: Callable[[Network, list[Machine]], Controller]
) -> None:
    alpha, bravo, charlie = machines = [lan.add(name) for name in ("alpha", "bravo", "charlie")]
    controller = controller_of(lan, machines)
    controller.write_env(
        REMOTE_USER="fleet",
        REMOTE_HOST=alpha.address,
        REMOTE_WORKING_DIR=WORKING_DIR,
        TMDB_API_URL=sandbox.api_url,
        TMDB_EXPORT_URL=sandbox.export_url,
        THREADS=10,
        RATE_LIMIT=6,  # so that the crawl outlasts an installation on a busy machine
        AWS_SECRET_ACCESS_KEY=CLOUD_KEY,
        NEXTCLOUD_PASSWORD=UPLOAD_PASSWORD,
    )

    with command_lines() as seen:
        assert controller.make("init").count("installed") == 6
        progress = Progress(controller.env("REDIS_URL"))
        controller.make("seed")
        assert numbers(controller.make("launch"), alpha) == [1, 0, 0]
    password = progress.redis.connection_pool.connection_kwargs["password"]
    assert len(password) >= 32
    assert any(b"scrapy\0crawl" in line for line in seen)
    for secret in (API_KEY, password):
        assert not any(secret.encode() in line for line in seen)

    assert controller.make("init").count("unchanged") >= 3  # the project may be edited while tests run
    assert numbers(controller.make("launch"), alpha) == [0, 1, 0]
    progress.wait("three hosts work", lambda: progress.workers() == ["alpha", "bravo", "charlie"])
    status = controller.make("status")
    assert all(machine.name in status for machine in machines)
    check_consoles_and_logs(controller, bravo)

    progress.wait("some are settled", lambda: progress.settled() > 300)
    said = controller.make("collect", ok=False)
    assert "lost" not in said, "what is kept meanwhile is not lost"
    assert " kept IDs have no line" not in said
    bravo.power_off()
    charlie.unplug()
    delta = lan.add("delta")
    controller.known_hosts.write_text(lan.known_hosts())
    controller.write_hosts(machine.address for machine in (*machines, delta))
    controller.make("init", HOSTS=delta.address)
    said = controller.make("launch", ok=False)
    assert numbers(said, delta) == [1, 0, 0]
    assert "2 of 4 hosts failed" in said
    progress.wait("the dead are given up", lambda: progress.workers() == ["alpha", "delta"])
    charlie.plug_in()
    progress.wait("charlie is back", lambda: "charlie" in progress.workers())
    bravo.power_on()
    assert numbers(controller.make("launch"), bravo) == [1, 0, 0]

    controller.make("stop")
    assert progress.settled() < MOVIES, "the crawl ended before it could be stopped: take more movies"
    assert progress.workers() == [], "without a heartbeat, leases are anybody's at once"
    controller.make("launch", RATE_LIMIT="0")  # as fast as the server lets them
    progress.wait("all is settled", lambda: progress.settled() == MOVIES)
    for machine in (alpha, bravo, charlie, delta):
        progress.wait(
            "workers end", lambda machine=machine: not machine.run("pgrep", "-f", "crawl", check=False)
        )

    assert "agree" in controller.make("collect")
    check_merged_file(controller.directory / "data" / "movies.jsonl", sandbox)
    assert controller.make("collect").count("0.0 MB") == 8, "parts travelled twice"

    check_uploaded_parts(controller, lan, sandbox)

    assert "agree" in controller.make("collect", PRUNE="1")
    assert not list((controller.directory / "data" / "movies" / "parts").glob("*.jsonl"))
    assert not any(machine.run("sh", "-c", HAS_PARTS) for machine in (alpha, bravo, charlie, delta))
    assert "agree" in controller.make("collect")
    check_merged_file(controller.directory / "data" / "movies.jsonl", sandbox)

    assert "YES=1" in controller.make("clean", ok=False)
    controller.make("clean", YES="1")
    assert all(machine.run("ls", "-A", "/home/fleet") == "" for machine in (alpha, bravo, charlie, delta))


def numbers(report: str, machine: Machine) -> list[int]:
    """The numbers in a machine's line of a report."""
    line = next(line for line in report.splitlines() if re.search(rf"│ {re.escape(machine.address)} ", line))
    return [int(cell) for cell in line.split("│")[2:-1]]


def check_consoles_and_logs(controller: Controller, machine: Machine) -> None:
    said = controller.run("sh", "-c", f"echo 'spider.name * 2' | make console HOST={machine.address}")
    assert "'moviesmovies'" in said
    log = controller.make("logs", HOST=machine.address, FOLLOW="0")
    assert f"{machine.address} movies-1" in log
    said = controller.interrupt("logs", after=f"{machine.address} movies-1", HOST=machine.address)
    assert numbers(said, machine)[0] > 0
    logs = machine.run("sh", "-c", "cat /home/fleet/*/logs/bravo/*.log")
    record = json.loads(machine.run("sh", "-c", "cat /home/fleet/*/run/bravo/movies-1.json"))
    assert "Spider opened" in logs
    assert len(record["console_password"]) > 16
    assert all(secret not in logs for secret in (API_KEY, record["console_password"]))
    environment = machine.run("sh", "-c", "cat /home/fleet/*/.env")
    assert API_KEY in environment
    assert all(secret not in environment for secret in (CLOUD_KEY, UPLOAD_PASSWORD))
    steering = (
        "find /home/fleet/* -name data -prune -o -type f -perm /022 -print -o -type d -perm /022 -print"
    )
    assert machine.run("sh", "-c", steering) == ""
    assert (
        machine.run("sh", "-c", "find /home/fleet/*/run /home/fleet/*/logs /home/fleet/*/.env -perm /077")
        == ""
    )


def check_merged_file(path: Path, sandbox: SandboxProcess) -> None:
    """Exactly the kept IDs, one whole line each."""
    expected = kept(sandbox)
    merged = [json.loads(line)["id"] for line in path.read_bytes().splitlines()]
    assert len(expected) > 100
    assert sorted(merged) == sorted(expected)


def kept(sandbox: SandboxProcess) -> set[int]:
    return {number for number, outcome in sandbox.expected("movies").items() if outcome == "kept"}


def whole_records(lines: bytes) -> Iterator[int]:
    """The IDs in the lines of parts: the one that bravo was writing when its power went may be torn."""
    for line in lines.splitlines():
        with suppress(ValueError):
            yield json.loads(line)["id"]


def check_uploaded_parts(controller: Controller, lan: Network, sandbox: SandboxProcess) -> None:
    """Every host sends its own parts; together they have every kept movie."""
    root = controller.directory / "nextcloud"
    root.mkdir()
    nextcloud = NextcloudServer(root, host=lan.controller)
    nextcloud.rules.password = UPLOAD_PASSWORD
    try:
        with controller.env_file.open("a") as file:
            file.write(f"NEXTCLOUD_UPLOAD={nextcloud.link}\n")
        with command_lines() as seen:
            said = controller.make("upload-parts")
        assert said.count("size verified") + said.count("no parts here") == len(lan.machines)
        assert not any(secret.encode() in line for line in seen for secret in (UPLOAD_PASSWORD, TOKEN))
        for machine in lan.machines:
            machine.run("sh", "-c", f"! grep -rqE '{UPLOAD_PASSWORD}|{TOKEN}' /home/fleet")
        files = nextcloud.files()
        assert {"alpha", "bravo", "charlie"} <= {name.partition("-")[0] for name in files}
        assert set(whole_records(b"".join(files.values()))) == kept(sandbox)
        refused = "1 of 4 hosts failed"
        name = next(name for name in files if name.startswith("bravo-"))
        (nextcloud.folder / name).write_bytes(b"somebody else's")
        assert refused in controller.make("upload-parts", ok=False)
        assert nextcloud.files()[name] == b"somebody else's"
    finally:
        nextcloud.stop()
