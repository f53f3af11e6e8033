"""Both HTTP clients of the downloader against a server that says exactly what a test tells it to."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
import scripted_server
from scripted_server import LARGEST_BYTES, always, asking, sized

from tmdb_scrapy.downloader.connections import READ_BYTES
from tmdb_scrapy.network import BrokenOff, Dropped, Unreachable


@pytest.fixture(params=[scripted_server.programs_client, scripted_server.direct_client], autouse=True)
def _client(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scripted_server, "a_client", request.param)


async def body_of(answer: bytes) -> bytes:
    async with asking(always(answer)) as (server, connections):
        return (await connections.send("GET", f"{server.url}/a", {})).body


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
    ("answer", "error"),
    [
        (b"", Dropped),
        (b"HTTP/1.1 200 OK\r\nContent-Le", (Dropped, BrokenOff)),
        (sized(b"whole")[:-1], BrokenOff),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", BrokenOff),
        (b"<html>not HTTP</html>\r\n\r\n", BrokenOff),
        (sized(b"x" * (LARGEST_BYTES + 1)), BrokenOff),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (LARGEST_BYTES + 1), BrokenOff),
    ],
)
def test_a_response_that_is_not_whole_is_an_error(
    answer: bytes, error: type[Exception] | tuple[type[Exception], ...]
) -> None:
    with pytest.raises(error):
        asyncio.run(body_of(answer))


@pytest.mark.parametrize(
    "framing", [b"Content-Length: 6", b"Transfer-Encoding: chunked", b"Connection: close"]
)
def test_a_body_that_comes_piece_by_piece_is_read_whole(framing: bytes) -> None:
    async def piecemeal(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n\r\n")
        for piece in (b"ab", b"cd", b"ef", b""):
            await asyncio.sleep(0.05)
            writer.write(b"%d\r\n%s\r\n" % (len(piece), piece) if b"chunked" in framing else piece)

    async def scenario() -> None:
        async with asking(piecemeal) as (server, connections):
            assert (await connections.send("GET", f"{server.url}/", {})).body == b"abcdef"

    asyncio.run(scenario())


def test_an_endless_body_is_not_read_to_its_end() -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(b"x" * READ_BYTES)
                await writer.drain()

    async def scenario() -> None:
        async with asking(endless) as (server, connections):
            with pytest.raises(BrokenOff, match="longer than"):
                await connections.send("GET", f"{server.url}/", {}, timeout_s=60)

    asyncio.run(asyncio.wait_for(scenario(), 10))


def test_a_connection_is_used_again_and_replaced_when_the_server_says_close() -> None:
    async def scenario() -> None:
        script = always(*[sized(b"more")] * 9, sized(b"last", b"Connection: close"))
        async with asking(script) as (server, connections):
            for _ in range(50):
                assert (await connections.send("GET", f"{server.url}/", {})).status == 200
            # Not always 5: a request may come before the connection is back in its client's pool.
            assert 5 <= server.connections <= 15

    asyncio.run(scenario())


def test_a_kept_connection_that_the_server_closed_is_replaced_without_an_error() -> None:
    async def scenario() -> None:
        async with asking(always(sized(b"only one"))) as (server, connections):
            for _ in range(5):
                assert (await connections.send("GET", f"{server.url}/", {})).body == b"only one"
            assert server.connections == 5

    asyncio.run(scenario())


def test_a_request_that_may_not_be_repeated_is_not() -> None:
    async def forgets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(sized(b"1"))
        await reader.readuntil(b"\r\n\r\n")

    async def scenario() -> None:
        async with asking(forgets) as (server, connections):
            await connections.send("GET", f"{server.url}/", {})
            with pytest.raises(Dropped):
                await connections.send("POST", f"{server.url}/", {}, b"body")
            assert server.connections == 1

    asyncio.run(scenario())


def test_silence_is_a_timeout_and_the_connection_is_not_used_again() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def scenario() -> None:
        async with asking(silent) as (server, connections):
            for number in (1, 2):
                with pytest.raises(TimeoutError):
                    await connections.send("GET", f"{server.url}/", {}, timeout_s=0.05)
                assert server.connections == number

    asyncio.run(scenario())


def test_nobody_there_is_told_apart() -> None:
    async def scenario() -> None:
        async with asking(always()) as (server, connections):
            pass
        connections = scripted_server.a_client()
        with pytest.raises(Unreachable):
            await connections.send("GET", server.url, {})

    asyncio.run(scenario())


def test_a_header_cannot_smuggle_another() -> None:
    async def scenario() -> None:
        async with asking(always(sized(b""))) as (server, connections):
            with pytest.raises(ValueError, match="cannot be sent"):
                await connections.send("GET", f"{server.url}/", {"X": "1\r\nY: 2"})
            assert not server.connections

    asyncio.run(scenario())


STRAY = sized(b"stray", b"X-Stray: yes")


@pytest.mark.parametrize("stray", [STRAY, STRAY[:20], b"H", b"garbage"])
@pytest.mark.parametrize("apart", [False, True])
def test_what_nobody_asked_for_is_never_a_response_and_ends_the_connection(stray: bytes, apart: bool) -> None:
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
                answer = await connections.send("GET", f"{server.url}/", {})
                answered.set()
                assert (answer.body, answer.headers) == (b"asked for", {"content-length": "9"})
                await asyncio.wait_for(hung_up.wait(), 5)
                assert server.connections == number
                answered.clear()
                hung_up.clear()

    asyncio.run(scenario())


def test_a_server_that_switches_to_another_protocol_is_not_followed() -> None:
    switch = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"

    async def scenario() -> None:
        async with asking(always(switch, sized(b"not HTTP's"))) as (server, connections):
            for number in (1, 2):
                with contextlib.suppress(BrokenOff):  # what the direct one makes of it
                    response = await connections.send("GET", f"{server.url}/", {})
                    assert (response.status, response.body) == (101, b"")
                assert server.connections == number

    asyncio.run(asyncio.wait_for(scenario(), 5))


def test_a_header_that_is_not_ascii_spoils_no_other_and_one_that_comes_twice_is_joined() -> None:
    async def scenario() -> None:
        answer = sized(b"x", b"X-Poet: h\xe9", b"Link: <a>", b"Link: <b>")
        async with asking(always(answer)) as (server, connections):
            response = await connections.send("GET", f"{server.url}/", {})
            assert response.headers.pop("x-poet", "") in {"", "h\xe9"}
            assert response.headers == {"content-length": "1", "link": "<a>, <b>"}

    asyncio.run(scenario())


@pytest.mark.parametrize("then", [sized(b"2"), b""])
def test_one_connection_for_each_request_on_its_way(then: bytes) -> None:
    """Also when the server closes each after a response, and whatever order the responses come in."""

    async def scenario() -> None:
        at_once, open_now, most = 5, 0, 0

        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal open_now, most
            open_now += 1
            most = max(most, open_now)
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                for answer in [sized(b"1"), *([then] * 1000 if then else [])]:
                    await reader.readuntil(b"\r\n\r\n")
                    await asyncio.sleep(0.001)
                    writer.write(answer)
            open_now -= 1

        async with asking(script) as (server, connections):

            async def sender() -> None:
                for _ in range(20):
                    assert (await connections.send("GET", f"{server.url}/", {})).status == 200

            await asyncio.gather(*(sender() for _ in range(at_once)))
            assert most <= 2 * at_once  # one that closes may have its successor beside it

    asyncio.run(scenario())


def test_nobody_waits_for_the_connection_of_a_request_that_was_given_up() -> None:
    async def scenario() -> None:
        asked = asyncio.Event()

        async def silent_at_first(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            if asked.is_set():
                writer.write(sized(b"2"))
            asked.set()
            await reader.read()

        async with asking(silent_at_first) as (server, connections):
            request = asyncio.ensure_future(connections.send("GET", f"{server.url}/", {}))
            await asked.wait()
            request.cancel()
            with pytest.raises(asyncio.CancelledError):
                await request
            assert (await connections.send("GET", f"{server.url}/", {})).body == b"2"

    asyncio.run(asyncio.wait_for(scenario(), 5))


def test_the_timeout_reaches_to_the_last_byte() -> None:
    async def dribbling(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.01)

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        async with asking(dribbling) as (server, connections):
            began = loop.time()
            with pytest.raises(TimeoutError):
                await connections.send("GET", f"{server.url}/", {}, timeout_s=0.2)
            assert 0.2 <= loop.time() - began < 2

    asyncio.run(scenario())


def test_closing_ends_what_is_under_way() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def scenario() -> None:
        async with asking(silent) as (server, connections):
            request = asyncio.ensure_future(connections.send("GET", f"{server.url}/", {}))
            await asyncio.sleep(0.05)
            await connections.close()
            with pytest.raises(ConnectionError):
                await request

    asyncio.run(asyncio.wait_for(scenario(), 5))
