"""The HTTP client against a server that says exactly what a test tells it to."""

from __future__ import annotations

import asyncio
import contextlib
import ssl

import pytest
from scripted_server import LARGEST_BYTES, always, asking, sized

from tmdb_scrapy.downloader.http import BrokenOff, Connections, Unreachable


async def body_of(answer: bytes) -> bytes:
    async with asking(always(answer)) as (server, connections):
        return (await connections.ask("GET", f"{server.url}/a", {})).body


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (sized(b"whole"), b"whole"),
        (sized(b""), b""),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", b"abcde"),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end", b"until the end"),
        (b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" + sized(b"after hints"), b"after hints"),
        (sized(b"x" * LARGEST_BYTES), b"x" * LARGEST_BYTES),
    ],
)
def test_a_body_is_read_as_it_is_framed(answer: bytes, body: bytes) -> None:
    assert asyncio.run(body_of(answer)) == body


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        sized(b"whole")[:-1],
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"<html>not HTTP</html>\r\n\r\n",
        sized(b"x" * (LARGEST_BYTES + 1)),
    ],
)
def test_an_answer_that_is_not_whole_is_an_error(answer: bytes) -> None:
    with pytest.raises(BrokenOff):
        asyncio.run(body_of(answer))


def test_a_connection_is_used_again_and_replaced_when_the_server_says_close() -> None:
    async def scenario() -> None:
        script = always(sized(b"1"), sized(b"2", b"Connection: close"))
        async with asking(script) as (server, connections):
            answers = [(await connections.ask("GET", f"{server.url}/", {})).body for _ in range(4)]
            assert answers == [b"1", b"2", b"1", b"2"]
            assert server.connections == 2

    asyncio.run(scenario())


def test_a_kept_connection_that_the_server_closed_is_replaced_without_an_error() -> None:
    async def scenario() -> None:
        async with asking(always(sized(b"only one"))) as (server, connections):
            for _ in range(5):
                assert (await connections.ask("GET", f"{server.url}/", {})).body == b"only one"
            assert server.connections == 5

    asyncio.run(scenario())


def test_a_request_that_may_not_be_repeated_is_not() -> None:
    async def forgets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(sized(b"1"))
        await reader.readuntil(b"\r\n\r\n")

    async def scenario() -> None:
        async with asking(forgets) as (server, connections):
            await connections.ask("GET", f"{server.url}/", {})
            with pytest.raises(BrokenOff):
                await connections.ask("POST", f"{server.url}/", {}, b"body")
            assert server.connections == 1

    asyncio.run(scenario())


def test_silence_is_a_timeout_and_the_connection_is_not_used_again() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def scenario() -> None:
        async with asking(silent) as (server, connections):
            for number in (1, 2):
                with pytest.raises(TimeoutError):
                    await connections.ask("GET", f"{server.url}/", {}, timeout_s=0.05)
                assert server.connections == number

    asyncio.run(scenario())


def test_nobody_there_is_told_apart() -> None:
    async def scenario() -> None:
        async with asking(always()) as (server, connections):
            pass
        connections = Connections(ssl.create_default_context(), LARGEST_BYTES)
        with pytest.raises(Unreachable):
            await connections.ask("GET", server.url, {})

    asyncio.run(scenario())


def test_a_header_cannot_smuggle_another() -> None:
    async def scenario() -> None:
        async with asking(always(sized(b""))) as (server, connections):
            for url, headers in ((f"{server.url}/a b", {}), (f"{server.url}/", {"X": "1\r\nY: 2"})):
                with pytest.raises(ValueError, match="cannot be sent"):
                    await connections.ask("GET", url, headers)

    asyncio.run(scenario())


STRAY = sized(b"stray", b"X-Stray: yes")


@pytest.mark.parametrize("stray", [STRAY, STRAY[:20], b"H", b"garbage"])
@pytest.mark.parametrize("apart", [False, True])
def test_what_nobody_asked_for_is_never_an_answer_and_ends_the_connection(stray: bytes, apart: bool) -> None:
    """The stray bytes come with the answer, or a moment later."""

    async def scenario() -> None:
        answered, hung_up = asyncio.Event(), asyncio.Event()

        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(sized(b"asked for") + (b"" if apart else stray))
            if apart:
                await answered.wait()
                writer.write(stray)
            with contextlib.suppress(ConnectionError):
                await reader.read()
            hung_up.set()

        async with asking(script) as (server, connections):
            for number in (1, 2, 3):
                answer = await connections.ask("GET", f"{server.url}/", {})
                answered.set()
                assert (answer.body, answer.headers) == (b"asked for", {"content-length": "9"})
                await asyncio.wait_for(hung_up.wait(), 5)
                assert server.connections == number
                answered.clear()
                hung_up.clear()

    asyncio.run(scenario())


def test_a_server_that_switches_to_another_protocol_has_broken_off() -> None:
    switch = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
    with pytest.raises(BrokenOff, match="another protocol"):
        asyncio.run(asyncio.wait_for(body_of(switch), 5))
