"""A crawl under test: a real sandbox, a real Redis, real workers, and a judge that believes none of the
project's own counters."""

from __future__ import annotations

import contextlib
import copy
import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import psutil
import redis
from environments import bare_environment
from foreign_redis import ForeignRedis
from waiting import wait_until

from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.local.redis_binary import RedisServerError
from tmdb_scrapy.sandbox.server.journal import Entry
from tmdb_scrapy.sandbox.server.process import SandboxProcess

API_KEY = "fedcba9876543210" * 2
APPENDED = {kind.name: list(kind.appended) for kind in KINDS.values()}
ENDS = {"queued": b"q", "kept": b"k", "dropped": b"brgcwd", "missing": b"m", "failed": b"f"}
"""The ledger's bytes for each end, written out: a test does not ask the project what they are."""
COMMAND_TIMEOUT_S = 120.0
CRAWL_TIMEOUT_S = 120.0
LEASE_S = 10.0
"""A worker that is silent for so long has lost its leases (tmdb_scrapy.queue.keys.HEARTBEAT_TTL_S)."""


class Worker:
    """One `scrapy crawl` process and its log."""

    def __init__(
        self, command: Sequence[str], directory: Path, environment: Mapping[str, str], kind: str
    ) -> None:
        self.kind = kind
        self.log = directory / f"worker-{len(list(directory.glob('worker-*.log')))}.log"
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                command, cwd=directory, env=environment, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    @property
    def output(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def send(self, number: signal.Signals) -> None:
        if self.alive:
            self.process.send_signal(number)

    def kill(self) -> None:
        """End it with SIGKILL, frozen or not, and what it has started; wait until it is gone."""
        started: list[psutil.Process] = []
        with contextlib.suppress(psutil.NoSuchProcess):
            started = psutil.Process(self.process.pid).children(recursive=True)
        self.send(signal.SIGKILL)
        self.process.wait()
        for process in started:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    def wait(self, timeout_s: float = CRAWL_TIMEOUT_S) -> int:
        """Its exit code."""
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"a worker did not end in {timeout_s:g} s:\n{self.output[-3000:]}") from None

    def says(self, text: str, timeout_s: float = CRAWL_TIMEOUT_S) -> None:
        """Wait until its log contains `text`."""
        wait_until(lambda: text in self.output or not self.alive, f"{self.log} says {text!r}", timeout_s)
        assert text in self.output, f"ended without saying {text!r}:\n{self.output[-3000:]}"


class Crawl:
    """Everything that belongs to one crawl; a context manager that leaves no process behind.

    `settings` are `.env` keys, over defaults that finish 1,500 movies in some five seconds.
    """

    def __init__(
        self, directory: Path, sandbox: Sequence[str] = (), *, kind: str = "movies", **settings: str
    ) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self.kind = kind
        self.workers: list[Worker] = []
        self.resources = contextlib.ExitStack()
        """What is given up when the crawl has been judged and its workers are gone."""
        self._sandbox_options = list(sandbox)
        self._earlier_journals: list[Entry] = []
        self._settings = settings

    def __enter__(self) -> Self:
        self.sandbox = SandboxProcess(self._sandbox_options)
        self.sandbox.start()
        try:
            self.redis_server = ForeignRedis.on_free_port(self.directory / "redis")
        except RedisServerError:
            self.sandbox.close()
            raise
        self.redis = redis.Redis(port=self.redis_server.port, socket_timeout=20)
        self.environment = {
            **bare_environment(self.directory),
            "PYTHONPATH": str(Path(__file__).parent),  # for the saboteur
            "TMDB_API_KEY": API_KEY,
            "TMDB_API_URL": self.sandbox.api_url,
            "TMDB_EXPORT_URL": self.sandbox.export_url,
            "REDIS_URL": str(self.redis_server.url),
            "DATA_DIR": str(self.directory / "data"),
            "PROCESSES": "2",
            "THREADS": "20",
            "RATE_LIMIT": "300",
            **self._settings,
        }
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers:
            worker.kill()
        self.resources.close()
        self.redis.close()
        if pid := self.redis_server.pid:
            os.kill(pid, signal.SIGCONT)
        self.redis_server.stop()
        self.sandbox.close()

    # Commands and workers

    @property
    def data(self) -> Path:
        return Path(self.environment["DATA_DIR"])

    @property
    def merged(self) -> Path:
        return self.data / f"{self.kind}.jsonl"

    def parts(self) -> list[Path]:
        return sorted((self.data / self.kind / "parts").glob("*.jsonl"))

    def of(self, kind: str) -> Crawl:
        """The other kind's side of the same crawl."""
        other = copy.copy(self)
        other.kind = kind
        return other

    def scrapy(self, *arguments: str, timeout_s: float = COMMAND_TIMEOUT_S, **settings: str) -> Ended:
        """Run a command to its end, as a user would."""
        done = subprocess.run(
            [sys.executable, "-m", "scrapy", *arguments], cwd=self.directory, env=self.environment | settings,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout_s, check=False,
        )  # fmt: skip
        return Ended(done.returncode, done.stdout + done.stderr)

    def seed(self, *arguments: str) -> None:
        ended = self.scrapy("seed", self.kind, *arguments)
        assert ended.code == 0, ended.output

    def start(self, count: int = 1, *arguments: str, **settings: str) -> list[Worker]:
        """Start workers; they end with the crawl."""
        return [
            self.start_command([sys.executable, "-m", "scrapy", "crawl", self.kind, *arguments], **settings)
            for _ in range(count)
        ]

    def start_command(self, command: Sequence[str], **settings: str) -> Worker:
        """Start a command in the background; `workers` has it too."""
        worker = Worker(command, self.directory, self.environment | settings, self.kind)
        self.workers.append(worker)
        return worker

    def finish(self, timeout_s: float = CRAWL_TIMEOUT_S) -> None:
        """Wait for the workers that live; each has to end with 0."""
        for worker in [worker for worker in self.workers if worker.alive]:
            code = worker.wait(timeout_s)
            assert code == 0, f"a worker ended with {code}:\n{worker.output[-3000:]}"

    # How it stands

    def ledger(self) -> dict[int, bytes]:
        """The state of every ID that was ever seen, read from Redis without the project's help."""
        states = self.redis.get(f"{{{self.kind}}}:ledger") or b""
        assert isinstance(states, bytes)
        return {number: states[number : number + 1] for number in range(len(states)) if states[number]}

    def heartbeats(self) -> dict[str, bytes]:
        """Workers whose leases are protected, by name: what each says of itself, as JSON."""
        prefix = f"{{{self.kind}}}:worker:".encode()
        found: dict[str, bytes] = {}
        for key in self.redis.keys(prefix + b"*"):
            value = self.redis.get(key)
            if isinstance(key, bytes) and isinstance(value, bytes):
                found[key.removeprefix(prefix).decode()] = value
        return found

    def settled(self) -> int:
        """How many IDs have ended."""
        return sum(state != b"q" for state in self.ledger().values())

    def queued(self) -> int:
        return sum(state == b"q" for state in self.ledger().values())

    def await_settled(self, count: int, timeout_s: float = CRAWL_TIMEOUT_S) -> None:
        wait_until(lambda: self.settled() >= count, f"{count} IDs are settled", timeout_s)

    def asked(self) -> int:
        """Requests that the sandbox has answered."""
        return int(self.sandbox.stats()["requests"])

    def journal(self) -> list[Entry]:
        """All requests about records of this kind, from the sandbox's journals, earlier lives included."""
        entries = self._earlier_journals + self.sandbox.journal()
        return [entry for entry in entries if entry.id and entry.kind == self.kind]

    def expected(self) -> dict[int, str]:
        """How every ID has to end, by the sandbox's catalogue."""
        outcomes: dict[int, str] = self.sandbox.expected(self.kind)
        if self.environment.get("FILTER") == "off":
            outcomes = {number: {"dropped": "kept"}.get(end, end) for number, end in outcomes.items()}
        return outcomes

    # The sandbox's machine

    def stop_sandbox(self) -> None:
        """From now on connections are refused."""
        self.sandbox.stop()
        self._earlier_journals += self.sandbox.journal()

    def start_sandbox(self) -> None:
        """The same catalogue at the same address again."""
        port = self.sandbox.url.rpartition(":")[2]
        self.sandbox.close()
        self.sandbox = SandboxProcess([*self._sandbox_options, "--port", port])
        self.sandbox.start()

    # The verdict

    def assert_exact(self, *, failed: frozenset[int] = frozenset()) -> None:
        """Merge, then compare the merged file and the ledger with the catalogue, each ID once; then ask
        `scrapy audit` too."""
        expected = self.expected() | dict.fromkeys(failed, "failed")
        merge = self.scrapy("merge", self.kind)
        assert merge.code == 0, merge.output
        ends = {bytes([byte]): end for end, several in ENDS.items() for byte in several}
        assert {number: ends[byte] for number, byte in self.ledger().items()} == expected
        self.assert_merged({number for number, end in expected.items() if end == "kept"})
        assert self.redis.xlen(f"{{{self.kind}}}:queue") == 0, "entries are left in the stream"
        audit = self.scrapy("audit", self.kind)
        assert audit.code == 0, audit.output
        leftovers = list(self.data.rglob("*.partial"))
        assert not leftovers

    def assert_merged(self, kept: set[int]) -> None:
        """The merged file has exactly these IDs, one line each, each line the body that the sandbox has."""
        lines = self.merged.read_bytes().split(b"\n")
        assert lines.pop() == b"", "the last line is not ended"
        by_id = [(json.loads(line)["id"], line) for line in lines]
        repeated = [number for number, count in Counter(number for number, _ in by_id).items() if count > 1]
        assert not repeated, f"more than once: {repeated[:5]}"
        found = {number for number, _ in by_id}
        assert not kept - found, f"{len(kept - found)} lost, such as {sorted(kept - found)[:5]}"
        assert not found - kept, f"{len(found - kept)} too many, such as {sorted(found - kept)[:5]}"
        if "--catalogue" not in self._sandbox_options and "--recorded" not in self._sandbox_options:
            catalogue = self.sandbox.catalogue()
            for number, line in by_id:
                assert line == catalogue.body(self.kind, number, APPENDED[self.kind]), f"line of {number}"

    def settled_by_workers(self) -> int:
        """How many IDs the workers that ended well say they settled: one that two settled counts twice."""
        said = [re.findall(r"'settled/\w+': (\d+)", worker.output) for worker in self.workers]
        return sum(int(count) for counts in said for count in counts)

    def lost(self) -> int:
        """IDs that have ended in the ledger as kept and are in no part: 0 at any moment, whatever happens."""
        ledger = self.ledger()
        written = set()
        for part in self.parts():
            for line in part.read_bytes().split(b"\n")[:-1]:
                with contextlib.suppress(ValueError, KeyError, TypeError):
                    written.add(json.loads(line)["id"])
        return sum(state == b"k" and number not in written for number, state in ledger.items())

    def fetched_twice(self) -> int:
        """Good answers beyond the first of each ID, by the journal."""
        good = Counter(entry.id for entry in self.journal() if entry.status in {200, 404} and not _bad(entry))
        return sum(good.values()) - len(good)


class Ended:
    """A command that has ended: its exit code, and all that it printed."""

    def __init__(self, code: int, output: str) -> None:
        self.code = code
        self.output = output

    def __repr__(self) -> str:
        return f"exit code {self.code}:\n{self.output}"


def _bad(entry: Entry) -> bool:
    return entry.fault not in {None, "slow"}
