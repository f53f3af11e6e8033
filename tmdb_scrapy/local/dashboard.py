"""The dashboard's server as a program of its own, which `scrapy dashboard` becomes: half the memory, since
every `scrapy` command has loaded Scrapy, Twisted and what they bring, and the server needs none of that."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import NoReturn

from tmdb_scrapy import arguments
from tmdb_scrapy.config import Config, ConfigError
from tmdb_scrapy.local.schedule import unit_directory
from tmdb_scrapy.local.scheduled import scheduled

HOST = "127.0.0.1"
PORT = 8632
FAILED = 1
BAD_USE = 2
INTERRUPTED = 130


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command's own, and so the program's."""
    parser.add_argument(
        "--host",
        default=HOST,
        help=f"listen there (default: {HOST}); beyond this machine it needs DASHBOARD_TOKEN",
    )
    parser.add_argument(
        "--port", type=arguments.port, default=PORT, help=f"default: {PORT}; 0 for a free one"
    )
    parser.add_argument(
        "--actions",
        action="store_true",
        help="who has DASHBOARD_TOKEN may pause, resume and requeue",
    )


def become(opts: argparse.Namespace, environment: Mapping[str, str]) -> NoReturn:
    """Make this process the server: of the same number, for who stops it by that."""
    options = [f"--host={opts.host}", f"--port={opts.port}", *(["--actions"] if opts.actions else [])]
    command = [sys.executable, "-m", __name__, *options]
    sys.stdout.flush()
    os.execve(sys.executable, command, dict(environment))  # noqa: S606  # the same program


def main() -> int:
    """Serve until told to stop; returns the exit code."""
    parser = argparse.ArgumentParser(prog="scrapy dashboard")
    add_options(parser)
    opts = parser.parse_args()
    try:
        return _serve(opts)
    except ConfigError as error:
        return _complain(str(error), BAD_USE)
    except OSError as error:
        why = error.strerror or error
        return _complain(f"port {opts.port} of {opts.host}: {why}; try another --port", FAILED)
    except KeyboardInterrupt:
        return _complain("interrupted", INTERRUPTED)


def _serve(opts: argparse.Namespace) -> int:
    # The command imports this module for its options alone, and the web server is not for every command.
    from tmdb_scrapy.watch.dashboard.doors import Doors
    from tmdb_scrapy.watch.dashboard.server import Dashboard, serve

    config = Config.load()
    doors = Doors(opts.host, config.dashboard_token, opts.actions)
    if problem := doors.problem():
        return _complain(problem, BAD_USE)
    dashboard = Dashboard(config, doors, partial(scheduled, Path.cwd(), unit_directory()))
    asyncio.run(serve(dashboard, opts.host, opts.port, _announce))
    return 0


def _announce(url: str) -> None:
    try:
        print(f"dashboard at {url}", flush=True)
    except BrokenPipeError:
        # Whoever read our output has gone, as `head` does; Python must not try once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _complain(message: str, code: int) -> int:
    print(f"tmdb: {message}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
