"""How the program's HTTP client is built, and what failures are called, whoever meets them.

Everything goes over it but requests to the API without a proxy (`tmdb_scrapy.downloader.direct` says why).

The client is pyreqwest: Rust's reqwest. It tries the addresses of a host side by side when the first is slow
(happy eyeballs, RFC 8305), trusts what the system trusts (and SSL_CERT_FILE, SSL_CERT_DIR), and follows no
redirect: that could carry a key or a password elsewhere.
"""

from __future__ import annotations

import atexit
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from pyreqwest.client import ClientBuilder, SyncClientBuilder
from pyreqwest.exceptions import (
    BodyDecodeError,
    BuilderError,
    ConnectError,
    DecodeError,
    PyreqwestError,
    ReadError,
    RequestTimeoutError,
)
from pyreqwest.proxy import ProxyBuilder

from tmdb_scrapy import USER_AGENT
from tmdb_scrapy.config import Config
from tmdb_scrapy.open_files import ADVICE, is_out_of_files
from tmdb_scrapy.values import Secret

CONNECT_TIMEOUT_S = 10.0
"""For all addresses of a host together: those of one family share it, so that a dead one leaves time."""

LOOPBACK = (
    "localhost,localhost.,ip6-localhost,ip6-loopback,"
    "127.0.0.0/8,::1,::ffff:127.0.0.0/104,0.0.0.0,::"  # the last two are this machine as well
)
"""Never reached through a proxy."""

Builder = TypeVar("Builder", ClientBuilder, SyncClientBuilder)


@dataclass(frozen=True, slots=True)
class Proxies:
    """Where requests go through on their way; URLs, empty for none."""

    https: Secret = Secret("")
    http: Secret = Secret("")
    for_all: Secret = Secret("")
    """For what has none of its own."""
    exempt: str = ""
    """Hosts, domains and networks that are reached without, parted by commas."""

    @classmethod
    def of(cls, config: Config) -> Proxies:
        return cls(config.https_proxy, config.http_proxy, config.all_proxy, config.no_proxy)

    def lead_to(self, url: str) -> bool:
        """Whether requests to `url` may go through one of them; the client looks at the exempt ones."""
        return bool(self.for_all or (self.https if url.startswith("https:") else self.http))

    def builders(self) -> list[ProxyBuilder]:
        """For a client; the first that fits a URL counts."""
        kinds = ((ProxyBuilder.https, self.https), (ProxyBuilder.http, self.http))
        made = [make(url) for make, url in (*kinds, (ProxyBuilder.all, self.for_all)) if url]
        return [builder.no_proxy(f"{LOOPBACK},{self.exempt}") for builder in made]


LET_GO_S = 0.05
"""The client's thread may still be waking the event loop when the program ends, and Python aborts the process
(`PyGILState_Release`) when such a thread comes back to an interpreter that is being taken down: three in ten
short programs ended so. A moment in which the thread can leave Python prevents it."""
atexit.register(time.sleep, LET_GO_S)


class HostNotFound(ConnectionError):
    """The host's name has no address, or nobody could be asked for it."""


class Untrusted(ConnectionError):
    """The server's certificate is not one that this machine trusts for this name."""


class ProxyRefused(ConnectionError):
    """The proxy does not let requests to this server through, or wants another password."""


class Unreachable(ConnectionError):
    """No connection could be made: nobody was there to answer."""


class Dropped(ConnectionError):
    """The connection ended before a response had come. A server that limits connections refuses so, one that
    closes a connection at rest does, and one that fails at the request itself may look the same."""


class BrokenOff(ConnectionError):
    """The connection ended within a response, or what came is not HTTP."""


def prepared(builder: Builder, proxies: Proxies, user_agent: str = USER_AGENT) -> Builder:
    """`builder` with what all clients of the program have in common; bodies come as they were sent."""
    builder = builder.no_proxy()  # none but ours: `.env` counts too, and loopback needs none
    for proxy in proxies.builders():
        builder = builder.proxy(proxy)
    return (
        builder.follow_redirects(False)
        .referer(False)
        .gzip(False)
        .brotli(False)
        .zstd(False)
        .deflate(False)
        .connect_timeout(timedelta(seconds=CONNECT_TIMEOUT_S))
        .user_agent(user_agent)
    )


def translated(error: PyreqwestError | ValueError) -> Exception:
    """What a client raised as `TimeoutError`, one of this module's errors, or `ValueError` for what cannot be
    put into a request. The texts do not contain the URL."""
    if isinstance(error, BuilderError) and any("CA certificates" in cause for cause in _causes(error)):
        return Untrusted("no certificates at all: do SSL_CERT_FILE and SSL_CERT_DIR, if set, name some?")
    if isinstance(error, BuilderError) or not isinstance(error, PyreqwestError):
        return ValueError("a URL or header that cannot be sent")
    if isinstance(error, RequestTimeoutError):
        return TimeoutError("it took too long")
    causes = _causes(error)
    text = ": ".join(causes) or error.message
    if "client error (Connect)" in causes:
        return _no_connection(error, causes)
    if isinstance(error, BodyDecodeError | ReadError | DecodeError):
        return BrokenOff(f"the response is not whole: {text}")
    if isinstance(error, ConnectError):
        return Dropped(f"the server ended the connection without a response: {text}")
    return BrokenOff(f"{error.message}: {text}")


def _no_connection(error: PyreqwestError, causes: list[str]) -> ConnectionError:
    text = causes[-1] + (f": {ADVICE}" if is_out_of_files(error) else "")
    if "dns error" in causes:
        return HostNotFound(text)
    if "invalid peer certificate" in text:
        return Untrusted(text.removeprefix("invalid peer certificate: "))
    if text.startswith("tunnel error"):
        return ProxyRefused(text.removeprefix("tunnel error: "))
    return Unreachable(text)


def _causes(error: PyreqwestError) -> list[str]:
    """What the client says of its failure, the outermost first; without the one that has the URL."""
    details = getattr(error, "details", {})
    told = [str(cause["message"]) for cause in details.get("causes") or []]
    return [message for message in told if "://" not in message]
