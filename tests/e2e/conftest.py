"""Crawls for the tests of this folder."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from crawl import Crawl

FAULT_SEED = os.environ.get("FAULT_SEED", "1")
"""Of everything random in the faults; another one gives other moments."""


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> str:
    """TMDB_ENGINE of a test's crawls; see `engines.py`."""
    return str(getattr(request, "param", "direct"))


@pytest.fixture
def crawl(tmp_path: Path, engine: str) -> Iterator[Callable[..., Crawl]]:
    """Makes crawls (see `Crawl`) that end with the test."""
    with ExitStack() as stack:

        def make(*sandbox: str, name: str = "crawl", kind: str = "movies", **settings: str) -> Crawl:
            settings = {"TMDB_ENGINE": engine, **settings}
            return stack.enter_context(Crawl(tmp_path / name, sandbox, kind=kind, **settings))

        yield make


@pytest.fixture(scope="session")
def chance_for() -> Callable[[str], random.Random]:
    """Random numbers that belong to a name and the fault seed."""
    return lambda name: random.Random(f"{name} {FAULT_SEED}")
