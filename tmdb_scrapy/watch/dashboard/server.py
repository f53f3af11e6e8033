"""Serves the page, its stream, the figures for programs and for Prometheus; carries out what is asked."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from importlib import resources

import msgspec
from aiohttp import web
from redis.exceptions import RedisError

from tmdb_scrapy.config import Config
from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.queue import IdQueue, Ledger, OtherRelease, State
from tmdb_scrapy.queue.connection import explain
from tmdb_scrapy.queue.tasks import end
from tmdb_scrapy.watch.charts import STYLE
from tmdb_scrapy.watch.dashboard.doors import HEADERS, Doors, guard, is_from_here, told_token
from tmdb_scrapy.watch.dashboard.page import Page
from tmdb_scrapy.watch.dashboard.status import stale, status
from tmdb_scrapy.watch.dashboard.stream import Stream, Told
from tmdb_scrapy.watch.metrics import exposition
from tmdb_scrapy.watch.sampler import Sample, Sampler

FIRST_SAMPLE_S = 2.0
"""A Redis that has not answered by then hangs: the page says that it was not read yet, and is there."""
ASSETS = {
    "page.css": "text/css",
    "page.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}


async def requeue(queue: IdQueue) -> int:
    """Queue failed and stale IDs again; returns how many."""
    ledger = Ledger(queue.kind, await queue.ledger())
    return sum([await queue.requeue(ledger.ids(state), state) for state in (State.FAILED, State.STALE)])


ACTIONS: dict[str, Callable[[IdQueue], Awaitable[int]]] = {
    "pause": IdQueue.pause,
    "resume": IdQueue.resume,
    "requeue": requeue,
}


class Dashboard:
    """One server with one sampler for all who look."""

    def __init__(
        self, config: Config, doors: Doors, scheduled: Callable[[], Mapping[str, str]] = dict
    ) -> None:
        """`scheduled` tells when the next update of a kind runs, as far as this machine knows."""
        self.sampler = Sampler(config, scheduled)
        self._config = config
        self._doors = doors
        self._page = Page(self.sampler, doors.actions)
        self._told: tuple[Sample, Told] | None = None
        self._ending = asyncio.Event()
        self.app = web.Application(middlewares=[guard(doors)], client_max_size=16 * 1024)
        self.app.add_routes(
            [
                web.get("/", self._whole_page),
                web.get("/worker", self._worker),
                web.get("/events", self._events, allow_head=False),
                web.get("/api/status", self._status),
                web.get("/metrics", self._metrics),
                web.get("/livez", self._alive),
                web.get("/readyz", self._ready),
                web.post("/actions/{action}", self._act),
                *(web.get(f"/{name}", self._asset) for name in ASSETS),
            ]
        )
        self.app.cleanup_ctx.append(self._sampling)
        self.app.on_shutdown.append(self._end_streams)

    async def _sampling(self, app: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(self.sampler.run())
        with suppress(TimeoutError):
            await asyncio.wait_for(self.sampler.newer(self.sampler.sample), FIRST_SAMPLE_S)
        yield
        await end(task)

    async def _end_streams(self, app: web.Application) -> None:
        """Open streams would hold the shutdown until its limit."""
        self._ending.set()

    async def _whole_page(self, request: web.Request) -> web.Response:
        asked = request.query
        return _html(self._page.whole(asked.get("span", ""), asked.get("done", ""), time.time()))

    async def _worker(self, request: web.Request) -> web.Response:
        found = self._page.worker(request.query.get("kind", ""), request.query.get("name", ""), time.time())
        if found is None:
            return web.Response(status=404, text="no such worker: it has ended, or never was\n")
        return _html(found)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(
            headers={**HEADERS, "Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
        )
        await response.prepare(request)
        stream = Stream()
        ending = asyncio.create_task(self._ending.wait())
        try:
            while not self._ending.is_set():
                sample = self.sampler.sample
                await response.write(stream.message(self._news()))
                news = asyncio.create_task(self.sampler.newer(sample))
                await asyncio.wait({news, ending}, return_when=asyncio.FIRST_COMPLETED)
                news.cancel()
        except ConnectionError:
            pass
        finally:
            ending.cancel()
        return response

    def _news(self) -> Told:
        """Of the latest sample, for every stream."""
        sample = self.sampler.sample
        if self._told is None or self._told[0] is not sample:
            self._told = sample, Told.of(self.sampler, time.time())
        return self._told[1]

    async def _status(self, request: web.Request) -> web.Response:
        body = msgspec.json.encode(status(self.sampler, time.time()))
        return web.Response(body=body, content_type="application/json")

    async def _metrics(self, request: web.Request) -> web.Response:
        body, content_type = exposition(lambda: self.sampler.sample, request.headers.get("Accept", ""))
        return web.Response(body=body, headers={"Content-Type": content_type})

    async def _alive(self, request: web.Request) -> web.Response:
        return web.Response(text="alive\n")

    async def _ready(self, request: web.Request) -> web.Response:
        sample = self.sampler.sample
        trouble = sample.trouble or stale(sample, time.time())
        return web.Response(status=503 if trouble else 200, text=f"{trouble or 'ready'}\n")

    async def _asset(self, request: web.Request) -> web.Response:
        name = request.path.rpartition("/")[2]
        body = (resources.files("tmdb_scrapy.watch.dashboard") / "assets" / name).read_bytes()
        if name == "page.css":
            body += STYLE.encode()
        return web.Response(body=body, content_type=ASSETS[name], charset="utf-8")

    async def _act(self, request: web.Request) -> web.Response:
        try:
            form = await request.post()
        except (ValueError, LookupError):
            return web.Response(status=400, text="this form cannot be read\n")
        if not self._doors.actions:
            return web.Response(status=403, text="nothing can be changed here: start it with --actions\n")
        if not is_from_here(request.headers):
            return web.Response(status=403, text="another site sent this\n")
        if not self._doors.is_token(told_token(request.headers, form.get("token"))):
            return web.Response(status=403, text="this is not DASHBOARD_TOKEN: nothing was done\n")
        action, kind = request.match_info["action"], form.get("kind")
        if action not in ACTIONS or not isinstance(kind, str) or kind not in KINDS:
            return web.Response(status=404, text=f"say one of {', '.join(ACTIONS)}, and a kind\n")
        try:
            done = int(await self.sampler.ask(kind, ACTIONS[action]))
        except (RedisError, OSError) as error:
            return web.Response(status=503, text=f"{explain(error, self._config)}\n")
        except OtherRelease as error:
            return web.Response(status=503, text=f"{error}\n")
        await self.sampler.look()
        if "token" in form:
            # From the page: back to it. Relative, since a proxy may have put it anywhere.
            return web.Response(status=303, headers={"Location": f"../?done={action}-{kind}"})
        return web.json_response({"action": action, "kind": kind, "done": done})


def _html(text: str) -> web.Response:
    response = web.Response(text=text, content_type="text/html")
    response.enable_compression()
    return response


async def serve(dashboard: Dashboard, host: str, port: int, announce: Callable[[str], object]) -> None:
    """Serve until SIGINT or SIGTERM. `announce` is told the URL. Raises `OSError` when the port is taken."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    runner = web.AppRunner(dashboard.app, access_log=None, shutdown_timeout=2.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        address = runner.addresses[0]
        host = f"[{address[0]}]" if ":" in address[0] else address[0]
        announce(f"http://{host}:{address[1]}/")
        await stop.wait()
    finally:
        await runner.cleanup()
