"""Out of file descriptors: whoever meets it is told of it, and of no disk, Redis or network."""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import redis
from pyreqwest.client import ClientBuilder

from tmdb_scrapy.config import Config
from tmdb_scrapy.network import Proxies, Unreachable, prepared, translated
from tmdb_scrapy.open_files import ADVICE, advice, is_out_of_files
from tmdb_scrapy.queue.connection import explain


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE])
def test_it_is_told_from_a_full_disk(number: int) -> None:
    assert advice(OSError(number, os.strerror(number), "parts/w.jsonl"), "free some space") == ADVICE
    assert advice(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "free some space") == "free some space"


@contextmanager
def no_more_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = [socket.socket()]
    resource.setrlimit(resource.RLIMIT_NOFILE, (taken[0].fileno() + 1, hard))
    try:
        while True:
            try:
                taken.append(socket.socket())
            except OSError:
                break
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for each in taken:
            each.close()


def test_a_client_that_cannot_connect_for_it_says_so() -> None:
    async def scenario() -> None:
        client = prepared(ClientBuilder(), Proxies()).build()
        with no_more_files(), pytest.raises(Exception, match="os error 24") as caught:
            await client.get("http://127.0.0.1:9/").build().send()
        told = translated(caught.value)
        assert isinstance(told, Unreachable) and ADVICE in str(told)

    asyncio.run(scenario())


def test_a_redis_that_cannot_be_connected_to_for_it_is_not_said_to_be_away(config: Config) -> None:
    connection = redis.Connection(host="127.0.0.1", port=9)
    with no_more_files(), pytest.raises(redis.ConnectionError) as caught:
        connection.connect()
    assert is_out_of_files(caught.value)
    assert ADVICE in explain(caught.value, config)
