"""The server with a real Redis: what it answers, to whom, and what it does when it is asked to."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
import redis.asyncio
from aiohttp import ClientResponse, ClientSession, ClientTimeout
from aiohttp.test_utils import TestServer
from prometheus_client import parser

from tmdb_scrapy.config import Config, Secret
from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.queue import Heartbeat, IdQueue, Settlement, State, connect
from tmdb_scrapy.queue.history import MINUTES_A_DAY, minute_of
from tmdb_scrapy.queue.keys import SCHEMA
from tmdb_scrapy.watch import sampler as sampler_module
from tmdb_scrapy.watch.dashboard.doors import Doors
from tmdb_scrapy.watch.dashboard.server import Dashboard

TOKEN = "open-sesame"
NEXT = "daily, some time"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@dataclass
class Stage:
    """A served dashboard, a client that looks, and the queue of movies."""

    dashboard: Dashboard
    server: TestServer
    client: ClientSession
    queue: IdQueue

    async def get(self, path: str, **headers: str) -> ClientResponse:
        return await self.client.get(self.server.make_url(path), headers=headers)

    async def post(self, path: str, data: dict[str, str], headers: dict[str, str]) -> ClientResponse:
        url = self.server.make_url(path)
        return await self.client.post(url, data=data, headers=headers, allow_redirects=False)

    async def status(self) -> Any:
        await self.dashboard.sampler.look()
        return await (await self.get("/api/status")).json()


Play = Callable[..., None]


@pytest.fixture
def play(config: Config, monkeypatch: pytest.MonkeyPatch) -> Play:
    """Runs an async function with a dashboard on loopback."""
    monkeypatch.setattr(sampler_module, "INTERVAL_S", 0.05)

    def played(
        story: Callable[[Stage], Awaitable[None]], *, host: str = "127.0.0.1", actions: bool = True
    ) -> None:
        async def main() -> None:
            dashboard = Dashboard(config, Doors(host, Secret(TOKEN), actions), lambda: {"movies": NEXT})
            async with (
                asyncio.timeout(30),
                connect(config) as client,
                ClientSession(timeout=ClientTimeout(10)) as session,
            ):
                queue = IdQueue(client, KINDS["movies"])
                await queue.seed([1, 2, 3, 4])
                await queue.heartbeats.beat(
                    Heartbeat(name="ada", host="here", pid=7, state="crawling", answers=3)
                )
                async with TestServer(dashboard.app) as server:
                    await story(Stage(dashboard, server, session, queue))

        asyncio.run(main())

    return played


async def fail(queue: IdQueue, count: int) -> None:
    leases = await queue.lease("ada", count) or []
    await queue.settle([Settlement(lease, State.FAILED, "http_500") for lease in leases])


def test_programs_read_the_figures_of_redis(play: Play) -> None:
    async def story(stage: Stage) -> None:
        await fail(stage.queue, 1)
        movies = (await stage.status())["kinds"]["movies"]
        assert {state: movies[state] for state in ("total", "queued", "leased", "kept", "failed")} == {
            "total": 4, "queued": 3, "leased": 0, "kept": 0, "failed": 1,
        }  # fmt: skip
        assert movies["failures"] == {"1": "http_500"}
        assert movies["texts"]["next"] == NEXT
        assert [worker["name"] for worker in movies["workers"]] == ["ada"]

    play(story)


def test_the_stream_tells_of_changes_and_ends_at_once_with_the_server(play: Play) -> None:
    async def story(stage: Stage) -> None:
        response = await stage.get("/events")
        assert response.headers["Content-Type"] == "text/event-stream"
        events = aiter(response.content)
        assert json.loads((await anext(events)).removeprefix(b"data: "))["kinds"]["movies"]["queued"] == 4
        await fail(stage.queue, 2)
        async for line in events:
            if line.startswith(b"data: ") and json.loads(line[6:])["kinds"]["movies"]["queued"] == 2:
                break
        loop = asyncio.get_running_loop()
        started = loop.time()
        await stage.server.close()
        # aiohttp's own wait for open requests is a minute; ours has to end them before.
        assert loop.time() - started < 10

    play(story)


def test_many_viewers_cost_one_reader(play: Play) -> None:
    async def story(stage: Stage) -> None:
        looks = 0
        look = stage.dashboard.sampler._read

        async def counted() -> None:
            nonlocal looks
            looks += 1
            await look()

        stage.dashboard.sampler._read = counted  # type: ignore[method-assign]
        viewers = [await stage.get("/events") for _ in range(5)]
        before = looks
        for _ in range(3):
            await asyncio.gather(*(anext(aiter(viewer.content)) for viewer in viewers))
        assert looks - before <= 4
        for viewer in viewers:
            viewer.close()

    play(story)


def test_prometheus_gets_a_content_type_and_metrics(play: Play) -> None:
    async def story(stage: Stage) -> None:
        await stage.status()
        response = await stage.get("/metrics")
        assert response.headers["Content-Type"].startswith("text/plain; version=")
        families = {each.name: each for each in parser.text_string_to_metric_families(await response.text())}
        queued = [s.value for s in families["tmdb_ids"].samples if s.labels["state"] == "queued"]
        assert queued == [4]

    play(story)


def test_every_response_has_the_policy_and_no_error_tells_how_it_is_made(play: Play) -> None:
    async def story(stage: Stage) -> None:
        for path in ("/", "/events", "/metrics", "/api/status", "/nowhere", "/worker?name=x", "/page.css"):
            response = await stage.get(path)
            assert "default-src 'none'" in response.headers["Content-Security-Policy"], path
            assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
            assert "unsafe" not in response.headers["Content-Security-Policy"]
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            if response.status >= 400:
                assert "Traceback" not in await response.text()
            response.close()

    play(story)


@pytest.mark.parametrize("path", ["/", "/events", "/api/status", "/metrics", "/livez", "/page.js"])
def test_a_foreign_name_is_refused_everywhere(play: Play, path: str) -> None:
    async def story(stage: Stage) -> None:
        assert (await stage.get(path, Host="evil.example")).status == 403

    play(story)


@pytest.mark.parametrize("path", ["/", "/events", "/api/status", "/metrics", "/page.js", "/worker", "/x"])
def test_beyond_loopback_everything_needs_the_token(play: Play, path: str) -> None:
    async def story(stage: Stage) -> None:
        refused = await stage.get(path)
        assert refused.status == 401
        assert refused.headers["WWW-Authenticate"].startswith("Basic ")
        assert (await stage.get(path, **BEARER)).status != 401
        assert (await stage.get("/livez")).status == 200

    play(story, host="0.0.0.0")


def test_pause_and_resume_do_what_they_say(play: Play) -> None:
    async def story(stage: Stage) -> None:
        response = await stage.post("/actions/pause", {"kind": "movies"}, BEARER)
        assert (response.status, await response.json()) == (
            200,
            {"action": "pause", "kind": "movies", "done": 1},
        )
        assert (await stage.queue.snapshot()).paused_since
        assert (await stage.status())["kinds"]["movies"]["paused_since"]
        await stage.post("/actions/resume", {"kind": "movies", "token": TOKEN}, {})
        assert not (await stage.queue.snapshot()).paused_since

    play(story)


def test_requeue_takes_what_failed(play: Play) -> None:
    async def story(stage: Stage) -> None:
        await fail(stage.queue, 3)
        response = await stage.post("/actions/requeue", {"kind": "movies"}, BEARER)
        assert (await response.json())["done"] == 3
        snapshot = await stage.queue.snapshot()
        assert (snapshot.of(State.FAILED), snapshot.queued, snapshot.failures) == (0, 4, {})

    play(story)


def test_a_form_is_answered_by_the_page_wherever_it_lies(play: Play) -> None:
    async def story(stage: Stage) -> None:
        response = await stage.post("/actions/pause", {"kind": "movies", "token": TOKEN}, {})
        assert (response.status, response.headers["Location"]) == (303, "../?done=pause-movies")

    play(story)


@pytest.mark.parametrize(
    ("data", "headers"),
    [
        ({}, {}),
        ({"token": "wrong"}, {}),
        ({}, {"Authorization": "Bearer wrong"}),
        ({}, {"Authorization": "Basic OlRPS0VO"}),
        ({}, {**BEARER, "Origin": "https://evil.example"}),
        ({"token": TOKEN}, {"Sec-Fetch-Site": "cross-site"}),
        ({"token": TOKEN}, {"Host": "evil.example"}),
    ],
)
def test_nothing_happens_without_the_token_or_from_elsewhere(
    play: Play, data: dict[str, str], headers: dict[str, str]
) -> None:
    async def story(stage: Stage) -> None:
        response = await stage.post("/actions/pause", {"kind": "movies", **data}, headers)
        assert response.status == 403
        assert not (await stage.queue.snapshot()).paused_since

    play(story)


def test_nothing_can_be_changed_unless_it_was_started_so(play: Play) -> None:
    async def story(stage: Stage) -> None:
        assert (await stage.post("/actions/pause", {"kind": "movies"}, BEARER)).status == 403
        assert not (await stage.queue.snapshot()).paused_since

    play(story, actions=False)


FORM = {**BEARER, "Content-Type": "application/x-www-form-urlencoded"}
ODD = [
    (403, {**FORM, "Authorization": "Bearer \udcff"}),
    (403, {**FORM, "Origin": "http://["}),
    (400, {**FORM, "Content-Type": "application/x-www-form-urlencoded; charset=no"}),
    (400, {**FORM, "Content-Type": "multipart/form-data"}),
    (400, {**FORM, "Content-Type": "multipart/form-data; boundary=x"}),
]


@pytest.mark.parametrize(("status", "headers"), ODD)
def test_what_cannot_be_read_is_refused_in_a_sentence(
    play: Play, status: int, headers: dict[str, str]
) -> None:
    async def story(stage: Stage) -> None:
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        reader, writer = await asyncio.open_connection(stage.server.host, stage.server.port)
        head += f"Host: 127.0.0.1\r\nContent-Length: {len(b'kind=movies')}\r\n"
        request = f"POST /actions/pause HTTP/1.1\r\n{head}\r\nkind=movies"
        writer.write(request.encode(errors="surrogateescape"))
        answer = await reader.readuntil(b"\r\n\r\n")
        writer.close()
        assert answer.startswith(f"HTTP/1.1 {status} ".encode())
        assert b"Content-Security-Policy" in answer
        assert not (await stage.queue.snapshot()).paused_since

    play(story)


def test_what_goes_wrong_within_tells_nothing_of_itself(play: Play, caplog: pytest.LogCaptureFixture) -> None:
    async def story(stage: Stage) -> None:
        del stage.dashboard._page
        response = await stage.get("/")
        assert response.status == 500
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
        assert "_page" not in await response.text()
        assert "'Dashboard' object has no attribute '_page'" in caplog.text

    play(story)


def test_a_stream_has_no_head_and_a_method_that_is_not_allowed_hears_which_are(play: Play) -> None:
    async def story(stage: Stage) -> None:
        refused = await stage.client.head(stage.server.make_url("/events"))
        assert (refused.status, refused.headers["Allow"]) == (405, "GET")
        shown = await stage.client.head(stage.server.make_url("/"))
        assert (shown.status, await shown.read()) == (200, b"")

    play(story)


def test_a_clock_that_is_set_back_leaves_the_history_as_it_is(play: Play) -> None:
    async def story(stage: Stage) -> None:
        (lease,) = await stage.queue.lease("ada", 1) or []
        await stage.queue.settle([Settlement(lease, State.KEPT)])
        sampler, minute = stage.dashboard.sampler, minute_of(time.time())
        for ahead, kept in ((10 * MINUTES_A_DAY, 0), (0, 1)):
            await sampler._catch_up({}, minute + ahead)
            assert sum(each.kept for each in sampler.minutes["movies"].values()) == kept

    play(story)


@pytest.mark.parametrize(("action", "kind"), [("burn", "movies"), ("pause", "cars"), ("pause", "")])
def test_what_is_not_known_is_refused(play: Play, action: str, kind: str) -> None:
    async def story(stage: Stage) -> None:
        assert (await stage.post(f"/actions/{action}", {"kind": kind}, BEARER)).status == 404

    play(story)


@pytest.mark.parametrize(
    ("write", "problem"),
    [
        (("SET", "{movies}:counts", "not a hash"), ""),
        (("HSET", "{movies}:counts", "kept", "many"), "invalid literal for int() with base 10: b'many'"),
        (("HSET", "{movies}:about", "updated_at", "today"), "updated_at is 'today', which is no moment"),
        (("HSET", "{movies}:about", "updated_at", "nan"), "updated_at is 'nan', which is no moment"),
        (("SET", "{movies}:control", "inf"), "control is 'inf', which is no moment"),
    ],
)
def test_keys_that_somebody_else_wrote_make_it_stale_and_not_fall(
    play: Play, config: Config, write: tuple[str, ...], problem: str
) -> None:
    async def story(stage: Stage) -> None:
        await stage.status()
        async with redis.asyncio.Redis.from_url(str(config.redis_url)) as client:
            await client.delete(write[1])
            await client.execute_command(*write)
        told = (await stage.status())["stale"]
        assert told.startswith("stale since")
        assert (
            "WRONGTYPE" in told
            or f"the keys of movies hold what this program never writes ({problem})" in told
        )
        assert (await stage.get("/readyz")).status == 503
        for path in ("/", "/metrics", "/livez"):
            assert (await stage.get(path)).status == 200, path

    play(story)


def test_a_redis_that_hangs_is_not_waited_for(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tmdb_scrapy.watch.dashboard.server.FIRST_SAMPLE_S", 0.05)

    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = Secret(f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
            dashboard = Dashboard(replace(config, redis_url=url), Doors("127.0.0.1", Secret(""), False))
            async with TestServer(dashboard.app) as server, ClientSession() as session:
                told = await (await session.get(server.make_url("/api/status"))).json()
                assert (told["stale"], told["trouble"]) == ("Redis has not been read yet.", "")
                assert (await session.get(server.make_url("/readyz"))).status == 503
                assert "has not been read yet" in await (await session.get(server.make_url("/"))).text()

    asyncio.run(main())


def test_keys_of_a_later_release_are_refused_in_a_sentence(play: Play, config: Config) -> None:
    async def story(stage: Stage) -> None:
        async with redis.asyncio.Redis.from_url(str(config.redis_url)) as client:
            await client.hset("{movies}:about", "schema", str(SCHEMA + 1))
        refusal = "the movies in Redis were written by a later release of this program"
        assert refusal in (await stage.status())["stale"]
        ready = await stage.get("/readyz")
        assert (ready.status, (await ready.text()).startswith(refusal)) == (503, True)
        assert refusal in await (await stage.get("/")).text()
        families = parser.text_string_to_metric_families(await (await stage.get("/metrics")).text())
        told = {each.name: each.samples for each in families}
        assert [sample.value for sample in told["tmdb_redis_up"]] == [0]
        assert not told["tmdb_ids"]
        for action in ("pause", "requeue"):
            response = await stage.post(f"/actions/{action}", {"kind": "movies"}, BEARER)
            assert (response.status, (await response.text()).startswith(refusal)) == (503, True)
        assert not await stage.queue.client.exists(stage.queue.keys.control)

    play(story)
