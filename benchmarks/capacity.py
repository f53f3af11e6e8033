"""How fast the server can be: wrk where it is installed, else a lean client of our own.

`python -m benchmarks.capacity https://HOST:PORT ids.txt SECONDS` prints requests a second.
"""

from __future__ import annotations

import asyncio
import itertools
import re
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import uvloop

from benchmarks.crawlers import CONCURRENCY, Task
from benchmarks.machine import on_core

QUERY = (
    "language=en-US&append_to_response=credits,keywords,similar,recommendations&api_key="
    "0123456789abcdef0123456789abcdef"
)
_WRK_SCRIPT = """
local paths, number = {}, 0
for id in io.lines("%s") do paths[#paths + 1] = "/3/movie/" .. id .. "?%s" end
request = function()
    number = number %% #paths + 1
    return wrk.format("GET", paths[number], {["Accept-Encoding"] = "gzip"})
end
"""


def measure(task: Task, core: int, seconds: int) -> tuple[str, float]:
    """The client that was used, and the requests a second that it got answered on one core."""
    task.directory.mkdir(parents=True)
    ids_file = task.ids_file()
    if shutil.which("wrk"):
        script = task.directory / "paths.lua"
        script.write_text(_WRK_SCRIPT % (ids_file, QUERY))
        command = ["wrk", "-t1", f"-c{CONCURRENCY}", f"-d{seconds}s", "-s", str(script), task.server.url]
        client = "wrk"
    else:
        command = [sys.executable, "-m", "benchmarks.capacity", task.server.url, str(ids_file), str(seconds)]
        client = "a lean client of our own"
    with on_core(core):
        done = subprocess.run(command, env=task.settings(), capture_output=True, text=True, check=True)
    found = re.search(r"Requests/sec:\s*([\d.]+)", done.stdout)
    if found is None:
        raise RuntimeError(f"{client} said no rate: {done.stdout[-500:]}")
    return client, float(found[1])


class _Connection(asyncio.Protocol):
    """One request after another, parsing no more than where a response ends."""

    def __init__(self, requests: Iterator[bytes]) -> None:
        self.answers = 0
        self._requests = requests
        self._missing = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(next(self._requests))

    def data_received(self, data: bytes) -> None:
        if self._missing == 0:
            head, _, body = data.partition(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: *(\d+)", head)
            if length is None:
                ended = data.endswith(b"0\r\n\r\n")
                self._missing = 0 if ended else -1
            else:
                self._missing = int(length[1]) - len(body)
        elif self._missing < 0:
            self._missing = 0 if data.endswith(b"0\r\n\r\n") else -1
        else:
            self._missing -= len(data)
        if self._missing == 0:
            self.answers += 1
            self._transport.write(next(self._requests))


async def _rate(url: str, ids: list[str], seconds: float) -> float:
    where = urlsplit(url)
    assert where.hostname
    assert where.port
    rest = f"?{QUERY} HTTP/1.1\r\nHost: {where.netloc}\r\nAccept-Encoding: gzip\r\n\r\n"
    requests = itertools.cycle(f"GET /3/movie/{number}{rest}".encode() for number in ids)
    loop = asyncio.get_running_loop()
    context = ssl.create_default_context()
    connections = []
    for _ in range(CONCURRENCY):
        _, connection = await loop.create_connection(
            lambda: _Connection(requests), where.hostname, where.port, ssl=context
        )
        connections.append(connection)
    before, began = sum(connection.answers for connection in connections), loop.time()
    await asyncio.sleep(seconds)
    return (sum(connection.answers for connection in connections) - before) / (loop.time() - began)


if __name__ == "__main__":
    rate = uvloop.run(_rate(sys.argv[1], Path(sys.argv[2]).read_text().split(), float(sys.argv[3])))
    print(f"Requests/sec: {rate:.1f}")
