"""A measured process: pinned to a core, timed, its memory and processor time sampled while it runs."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from benchmarks.machine import on_core

SAMPLE_INTERVAL_S = 0.1
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
"""Of /proc/PID/stat."""


class Sample(NamedTuple):
    """One look at a running process."""

    at: float
    """Seconds since the epoch."""
    cpu_s: float
    """Processor time so far, user and system."""
    resident_bytes: int
    peak_bytes: int


class ProcessFailed(RuntimeError):
    """A measured process did not end well; the text has the end of its output."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code
        """With which it exited."""


@dataclass(slots=True)
class Ran:
    """A process that has ended."""

    started_at: float
    """Seconds since the epoch, just before it was started."""
    ended_at: float
    cpu_s: float
    """Of the process and its children, user and system."""
    samples: list[Sample] = field(repr=False)

    @property
    def wall_s(self) -> float:
        return self.ended_at - self.started_at

    def cpu_between(self, start: float, end: float) -> float:
        """Processor time used between two moments, to within a sample's interval."""
        within = [sample for sample in self.samples if start <= sample.at <= end]
        return within[-1].cpu_s - within[0].cpu_s if within else 0.0

    @property
    def peak_bytes(self) -> int:
        return max((sample.peak_bytes for sample in self.samples), default=0)


class Measured:
    """Runs a command on one core with its output in a log."""

    def __init__(
        self, command: Sequence[str], directory: Path, environment: Mapping[str, str], core: int | None
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._command = command
        self._log = directory / "output.log"
        self._samples: list[Sample] = []
        self._ended = threading.Event()
        with self._log.open("wb") as output, contextlib.nullcontext() if core is None else on_core(core):
            self._started_at = time.time()
            self._process = subprocess.Popen(
                command, cwd=directory, env=environment, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT,
            )  # fmt: skip
        self._sampler = threading.Thread(target=self._sample_regularly, daemon=True)
        self._sampler.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait(self, timeout_s: float) -> Ran:
        """Its measurements once it has ended. Raises `ProcessFailed`."""
        watchdog = threading.Timer(timeout_s, self._process.kill)
        watchdog.start()
        # wait4 rather than Popen.wait: it alone tells the processor time of just this child.
        _, status, usage = os.wait4(self._process.pid, 0)
        ended_at = time.time()
        watchdog.cancel()
        self._ended.set()
        self._sampler.join()
        self._process.returncode = os.waitstatus_to_exitcode(status)
        if self._process.returncode:
            raise ProcessFailed(
                f"{' '.join(self._command[:6])} … ended with {self._process.returncode}:\n{self._tail()}",
                self._process.returncode,
            )
        return Ran(self._started_at, ended_at, usage.ru_utime + usage.ru_stime, self._samples)

    def kill(self) -> None:
        """End it by force, unless it has ended."""
        if self._process.returncode is None:
            self._process.kill()
            self._process.wait()
            self._ended.set()

    def _tail(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")[-2_000:]

    def _sample_regularly(self) -> None:
        while not self._ended.is_set():
            sample = look_at(self._process.pid)
            if sample is not None:
                self._samples.append(sample)
            self._ended.wait(SAMPLE_INTERVAL_S)


def look_at(pid: int) -> Sample | None:
    """One sample, from /proc; None when the process is gone."""
    folder = Path(f"/proc/{pid}")
    try:
        after_name = (folder / "stat").read_text().rpartition(")")[2].split()
        status = (folder / "status").read_text()
    except OSError:
        return None
    # Not ru_maxrss: a child inherits the peak of the process that started it.
    kilobytes = {
        line.partition(":")[0]: int(line.split()[1])
        for line in status.splitlines()
        if line.startswith(("VmRSS", "VmHWM"))
    }
    if not kilobytes:
        return None
    cpu_s = _scheduled_s(folder) or (int(after_name[11]) + int(after_name[12])) / TICKS_A_SECOND
    return Sample(time.time(), cpu_s, kilobytes["VmRSS"] * 1024, kilobytes["VmHWM"] * 1024)


def _scheduled_s(folder: Path) -> float:
    """Processor time of all threads by the scheduler's own count in nanoseconds; 0 where there is none.

    The ticks of `stat` are 10 ms, which is the work of a second for a program that hardly works. A thread
    that has ended is not counted any more, so this is for processes that keep theirs.
    """
    with contextlib.suppress(OSError):
        return sum(int(path.read_text().split()[0]) for path in folder.glob("task/*/schedstat")) / 1e9
    return 0.0


def run(
    command: Sequence[str],
    directory: Path,
    environment: Mapping[str, str],
    core: int | None = None,
    timeout_s: float = 600.0,
) -> Ran:
    """Run a command to its end."""
    return Measured(command, directory, environment, core).wait(timeout_s)
