"""Commands in processes of their own, to which something happens at one exact moment.

A moment is just before a command tells Redis something, or opens a file of its user's to write, renames or
removes one: what is left behind then is all that the next command has to go by. They are counted from 1.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import psutil
from redis.asyncio.connection import AbstractConnection
from scrapy.settings import Settings
from waiting import wait_until

from tmdb_scrapy.sources import days

ENDS_WITHIN_S = 60.0
GREETINGS = (b"CLIENT", b"HELLO", b"INFO", b"SELECT")
"""What a connection begins with leaves nothing behind."""
FIRST_BYTES = 40
"""The command's name is among them."""

Happens = Callable[[int], object]
"""Called at each moment, with its number."""

_processes = multiprocessing.get_context("forkserver")
"""Each is a copy of one in which no test has run: it starts at once, and has no threads."""
_processes.set_forkserver_preload(
    ["__main__", "tmdb_scrapy.commands.seed", "tmdb_scrapy.commands.refresh", "tmdb_scrapy.commands.update"]
)


@dataclass(frozen=True)
class User:
    """Whose commands they are. Must be such that another process can be told of it (pickle)."""

    directory: Path
    """Where they work: what lies here is looked after."""
    environment: Mapping[str, str]
    today: datetime.date
    prepare: Callable[[], object]
    """Called in each process before the command."""

    def with_settings(self, **settings: str) -> User:
        """The same user, who has changed his `.env`."""
        return replace(self, environment={**self.environment, **settings})

    def start(self, *command: str, happens: Happens | None = None) -> ForkServerProcess:
        process = _processes.Process(target=_live, args=(self, command, happens))
        process.start()
        return process

    def run(self, *command: str, happens: Happens | None = None) -> int:
        """Its exit code, negative when a signal ended it."""
        return ended(self.start(*command, happens=happens))

    def said(self) -> str:
        """What the last command printed."""
        return self._log.read_text()

    @property
    def _log(self) -> Path:
        return self.directory / "command.log"

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        with self._log.open("w") as log, contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
            yield


def ended(process: ForkServerProcess) -> int:
    """Wait for a command; its exit code."""
    process.join(ENDS_WITHIN_S)
    code = process.exitcode
    if code is None:
        process.kill()
        process.join()
    process.close()
    assert code is not None, f"a command did not end in {ENDS_WITHIN_S:g} s"
    return code


def at(moment: int, happens: Callable[[], object]) -> Happens:
    """Have something happen at one moment alone."""
    return partial(_at, moment, happens)


def _at(moment: int, happens: Callable[[], object], number: int) -> None:
    if number == moment:
        happens()


def die() -> None:
    """As by `kill -9`."""
    os.kill(os.getpid(), signal.SIGKILL)


def stand_still(number: int = 0) -> None:
    """Until `go_on`."""
    os.kill(os.getpid(), signal.SIGSTOP)


def go_on(process: ForkServerProcess) -> None:
    assert process.pid
    os.kill(process.pid, signal.SIGCONT)


def stands_still(process: ForkServerProcess) -> bool:
    """Wait until it does; False when it has ended instead."""
    seen = psutil.Process(process.pid)

    def state() -> str:
        return seen.status() if process.is_alive() else psutil.STATUS_DEAD

    wait_until(lambda: state() in (psutil.STATUS_STOPPED, psutil.STATUS_DEAD), "it stands still, or ends")
    return process.is_alive()


def moments(user: User, command: Sequence[str], look: Callable[[], object]) -> list[int]:
    """The moments of a command at which `look` sees something that it did not see at the moment before; the
    command has run to its end then."""
    found: list[int] = []
    process, number, before = user.start(*command, happens=stand_still), 0, object()
    while stands_still(process):
        number += 1
        if (seen := look()) != before:
            found.append(number)
        before = seen
        go_on(process)
    assert ended(process) == 0, user.said()
    return found


def _live(user: User, command: Sequence[str], happens: Happens | None) -> None:
    """The life of a process."""
    os.chdir(user.directory)
    os.environ.clear()
    os.environ.update(user.environment)
    days.today = lambda: user.today
    user.prepare()
    with user._writing():
        if happens is not None:
            _watch(user.directory, happens)
        code = _run(*command)
    os._exit(code)


def _run(name: str, *arguments: str) -> int:
    command: Any = import_module(f"tmdb_scrapy.commands.{name}").Command()
    command.settings = Settings()
    parser = argparse.ArgumentParser(conflict_handler="resolve")
    command.add_options(parser)
    command.run([], parser.parse_args(arguments))
    return int(command.exitcode)


def _watch(directory: Path, happens: Happens) -> None:
    """Have `happens` called at each moment of this process from now on."""
    number = 0
    send = AbstractConnection.send_packed_command

    def moment() -> None:
        nonlocal number
        number += 1
        happens(number)

    async def sent(self: Any, packed: Any, *more: Any, **options: Any) -> None:
        text = packed if isinstance(packed, bytes) else b"".join(packed)
        if not any(greeting in text[:FIRST_BYTES] for greeting in GREETINGS):
            moment()
        await send(self, packed, *more, **options)

    def touched(event: str, arguments: tuple[Any, ...]) -> None:
        if _changes_files(event, arguments) and Path(arguments[0]).absolute().is_relative_to(directory):
            moment()

    AbstractConnection.send_packed_command = sent  # type: ignore[method-assign]
    sys.addaudithook(touched)


def _changes_files(event: str, arguments: tuple[Any, ...]) -> bool:
    if event == "open":
        path, _, flags = arguments
        return isinstance(path, (str, Path)) and bool(flags & (os.O_WRONLY | os.O_RDWR))
    return event in ("os.rename", "os.remove")
