"""Run in a world of `routes`: what becomes of requests when the address that they go to begins to swallow.

`python mid_crawl_request.py FAMILY`, 4 or 6, serves at the good address of this family, and at the other one
from when the first begins to swallow. Prints how three requests end, and how many seconds the last takes.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack

from first_request import Handler, Server
from routes import GOOD

from tmdb_scrapy.downloader.direct import DirectConnections

TIMEOUT_S = 2.0


def swallow(family: int) -> None:
    """Connections to the good address of this family fall silent, and new ones are not answered."""
    Handler.silent.add(GOOD[family])
    for change in (
        f"route add {GOOD[family]} dev dead table 99",
        f"rule add pref 1 to {GOOD[family]} lookup 99",
        "rule add pref 2 lookup local",
        "rule delete pref 0",
    ):
        subprocess.run(["ip", f"-{family}", *change.split()], check=True)


async def ask(url: str, when_served: Callable[[], None]) -> None:
    connections = DirectConnections({}, 1_000)
    for number in range(3):
        began = time.monotonic()
        try:
            await connections.send("GET", url, {}, timeout_s=TIMEOUT_S)
            print("responded", end=" ")
        except TimeoutError:
            print("timeout", end=" ")
        if number == 0:
            when_served()
    print(time.monotonic() - began)
    await connections.close()


def main(family: int) -> None:
    with ExitStack() as stack:

        def serve(address: str, port: int = 0) -> int:
            server = stack.enter_context(Server(address, port))
            threading.Thread(target=server.serve_forever, daemon=True).start()
            stack.callback(server.shutdown)
            return int(server.server_address[1])

        port = serve(GOOD[family])

        def turn_bad() -> None:
            serve(GOOD[10 - family], port)
            swallow(family)

        asyncio.run(ask(f"http://api.test:{port}/", turn_bad))


if __name__ == "__main__":
    main(int(sys.argv[1]))
