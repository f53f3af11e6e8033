"""What the commands share: the configuration, kinds, a door to Redis, honest exit codes.

Scrapy takes every `ScrapyCommand` that a module of this package defines for a command of that module's name.
So what is shared is no `ScrapyCommand` itself: each command is of both classes.
"""

from __future__ import annotations

import argparse
import asyncio
import errno
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, TypeVar

import redis.asyncio
from redis.exceptions import RedisError
from scrapy.commands import ScrapyCommand

from tmdb_scrapy.config import Config, ConfigError
from tmdb_scrapy.kinds import KINDS, Kind
from tmdb_scrapy.open_files import advice
from tmdb_scrapy.printable import printable
from tmdb_scrapy.queue import IdQueue, OtherRelease, Snapshot, connect, snapshots
from tmdb_scrapy.queue.connection import explain, is_absent
from tmdb_scrapy.queue.fitness import UnfitRedis, examine
from tmdb_scrapy.queue.recorded_settings import OtherSettings

FAILED = 1
BAD_USE = 2
INTERRUPTED = 130
NAMED_IDS = 10
"""So many IDs are listed where there may be any number."""

WHAT_TO_DO = {
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space, your quota is used up",
    errno.EACCES: "that place is not yours; see its owner and mode",
    errno.EPERM: "that place is not yours; see its owner and mode",
    errno.EROFS: "the file system is mounted read-only",
    errno.ENOENT: "is the name right, and its directory there?",
    errno.ENOTDIR: "what stands before the last / is no directory",
    errno.EISDIR: "name a file, not a directory",
    errno.EEXIST: "something else stands there; move it away",
}
"""By the number of the error."""

SAID = "TMDB_REMARKS_SAID"
"""Variable of the environment by which a command tells those that it starts what the user has read."""

Result = TypeVar("Result")

if TYPE_CHECKING:
    _Base = ScrapyCommand
else:
    _Base = object


class CommandFailed(Exception):
    """A command did not do what it says; the text says why and what to do next."""

    def __init__(self, message: str, code: int = FAILED, is_partial: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.is_partial = is_partial
        """Whether what could be done was done all the same."""


class NoRedis(CommandFailed):
    """Nobody answers at REDIS_URL."""


def complain(message: str, code: int = FAILED) -> int:
    """Say on stderr what went wrong; returns the exit code, for `return complain(…)`."""
    print(printable(f"tmdb: {message}"), file=sys.stderr, flush=True)
    return code


def what_to_do(error: OSError) -> str:
    """About a file that cannot be written or read."""
    return advice(error, WHAT_TO_DO.get(error.errno or 0, "is the disk or its cable at fault?"))


def remark(message: str) -> None:
    """Say what the user should know: once, and not again in the commands that this one starts."""
    said = os.environ.get(SAID, "").splitlines()
    if message not in said:
        os.environ[SAID] = "\n".join([*said, message])
        complain(message)


def unexpected(args: list[str]) -> str:
    """What to say of arguments that a command has no use for, such as a misspelt option."""
    return f"what is {' '.join(args)!r} for? See --help"


class TmdbCommand(_Base):
    """A command with the user's configuration. Exit codes: 0 it did what it says, 1 it failed, 2 bad use or
    configuration, 130 interrupted."""

    requires_project = True
    requires_crawler_process = False
    config: Config
    _looked = False

    def execute(self, opts: argparse.Namespace) -> None:
        """Do it. Raises `CommandFailed`."""
        raise NotImplementedError

    def syntax(self) -> str:
        return "[options]"

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        try:
            if args:
                raise CommandFailed(unexpected(args), BAD_USE)
            assert self.settings is not None
            self.config = Config.from_settings(self.settings)
            for each in self.config.remarks:
                remark(each)
            with interruptible():
                self.execute(opts)
        except ConfigError as error:
            self.exitcode = complain(str(error), BAD_USE)
        except CommandFailed as error:
            self.exitcode = complain(str(error), error.code) if str(error) else error.code
        except KeyboardInterrupt:
            self.exitcode = complain("interrupted", INTERRUPTED)
        except BrokenPipeError:
            # Whoever read our output has gone, as `head` does; Python must not try once more at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            self.exitcode = FAILED
        except OSError as error:
            self.exitcode = complain(f"{error}: {what_to_do(error)}")

    def ask(self, kind: Kind, question: Callable[[IdQueue], Awaitable[Result]]) -> Result:
        """What `question` returns about the queue of a kind. Raises `CommandFailed` when Redis refuses."""

        return self.ask_redis([kind], lambda client: question(IdQueue(client, kind)))

    def look(self, kinds: Sequence[Kind]) -> dict[str, Snapshot]:
        """How kinds stand at one moment, by name. Raises `CommandFailed` when Redis refuses."""
        return self.ask_redis(kinds, lambda client: snapshots(client, kinds))

    def ask_redis(
        self, kinds: Sequence[Kind], question: Callable[[redis.asyncio.Redis], Awaitable[Result]]
    ) -> Result:
        """What `question` returns about several kinds. Raises `CommandFailed` when Redis refuses."""

        async def asked() -> Result:
            async with connect(self.config) as client:
                await self._look_at(client)
                for kind in kinds:
                    await IdQueue(client, kind).check_release()
                return await question(client)

        try:
            return asyncio.run(asked())
        except (OtherRelease, OtherSettings, UnfitRedis) as error:
            raise CommandFailed(str(error)) from None
        except (RedisError, OSError) as error:
            failure = NoRedis if is_absent(error) else CommandFailed
            raise failure(explain(error, self.config)) from None

    async def _look_at(self, client: redis.asyncio.Redis) -> None:
        """Once a command: is this a Redis that can be used? Raises `UnfitRedis`."""
        if not self._looked:
            for each in await examine(client):
                remark(each)
            self._looked = True


class KindsCommand(TmdbCommand):
    """A command about one kind of record, or several: one after another, until one fails."""

    def execute_for(self, kind: Kind, opts: argparse.Namespace) -> None:
        """Do it for one kind. Raises `CommandFailed`."""
        raise NotImplementedError

    def execute(self, opts: argparse.Namespace) -> None:
        for kind in dict.fromkeys(opts.kinds):
            self.execute_for(kind, opts)

    def syntax(self) -> str:
        return f"[options] {{{','.join(KINDS)}}} …"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        add_kinds(parser, "+", f"kinds of records: {', '.join(KINDS)}")


def add_kinds(parser: argparse.ArgumentParser, how_many: str, meaning: str) -> None:
    """The argument by which a user names kinds of records. `how_many` is argparse's `nargs`."""
    parser.add_argument("kinds", nargs=how_many, type=kind_named, metavar="KIND", help=meaning)


@contextmanager
def interruptible() -> Iterator[None]:
    """Have SIGTERM, and the SIGHUP of a terminal that is closed, end what runs as Ctrl-C does: what was
    started is stopped then. A signal that is ignored, as SIGHUP under nohup, stays so."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    for number, handler in before.items():
        if handler is signal.SIG_DFL:
            signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def plural(count: int, what: str) -> str:
    """`3 parts`, `1 part`."""
    return f"{count:,} {what.removesuffix('s') if count == 1 else what}"


def named(kind: Kind, ids: Sequence[int]) -> str:
    """`12 movies (3, 5, 8, …)`."""
    more = ", …" if len(ids) > NAMED_IDS else ""
    return f"{kind.count(len(ids))} ({', '.join(map(str, ids[:NAMED_IDS]))}{more})"


def kind_named(name: str) -> Kind:
    """The kind of that name, for argparse. Raises `ArgumentTypeError`."""
    if name not in KINDS:
        raise argparse.ArgumentTypeError(f"{name!r} is no kind of record: say one of {', '.join(KINDS)}")
    return KINDS[name]


__all__ = [
    "BAD_USE",
    "FAILED",
    "INTERRUPTED",
    "CommandFailed",
    "KindsCommand",
    "NoRedis",
    "TmdbCommand",
    "add_kinds",
    "complain",
    "interruptible",
    "kind_named",
    "named",
    "plural",
    "remark",
    "unexpected",
]
