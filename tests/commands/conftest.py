"""Commands in this process, as `scrapy` would run them, in a directory of their own."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any

import pytest
from scrapy.settings import Settings

from tmdb_scrapy.config import Config
from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.queue import IdQueue, connect

Invoke = Callable[..., int]
Ask = Callable[..., Any]


@pytest.fixture
def invoke(as_user: pytest.MonkeyPatch) -> Invoke:
    """`invoke("seed", "movies", "--limit", "5", THREADS="3")` runs a command and answers its exit code."""

    def invoked(name: str, *arguments: str, **variables: str) -> int:
        for key, value in variables.items():
            as_user.setenv(key, value)
        command = import_module(f"tmdb_scrapy.commands.{name}").Command()
        command.settings = Settings()
        parser = argparse.ArgumentParser(conflict_handler="resolve")
        command.add_options(parser)
        command.run([], parser.parse_args(arguments))
        code: int = command.exitcode
        return code

    return invoked


@pytest.fixture
def ask(config: Config) -> Ask:
    """`ask(lambda queue: queue.length())` asks the queue of movies, or of another kind."""

    def asked(question: Callable[[IdQueue], Awaitable[Any]], kind: str = "movies") -> Any:
        async def main() -> Any:
            async with connect(config) as client:
                return await question(IdQueue(client, KINDS[kind]))

        return asyncio.run(main())

    return asked
