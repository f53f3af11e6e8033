"""Faults that waiting cannot mend: what stands between this machine and the API, and how long it may.

An outage ends by itself; a certificate that nobody trusts, a page of the provider's or a wrong TMDB_API_URL
does not. Such an obstacle settles no ID. From the first request on, it ends the crawl at once; one that
begins later may be a moment's, so it is waited for.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

FROM_THE_START_S = 15.0
LATER_S = 600.0

FIRST_NAME = "api.themoviedb.org"
SECOND_NAME = "api.tmdb.org"
"""TMDb's own second name for its API, for people whose provider blocks the first."""
TMDB_HOSTS = frozenset({FIRST_NAME, SECOND_NAME})

_COUNTRY = re.compile(rb"configured to block access from your country", re.IGNORECASE)
_MARKUP = re.compile(rb"\s*(\xef\xbb\xbf)?\s*<")


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What stands between this machine and the API."""

    reason: str
    """One word for logs and stats."""
    sentence: str
    """What it is and what to do; no key in it."""
    from_the_start_s: float = FROM_THE_START_S
    """How long it may last before anything good ever came."""
    later_s: float = LATER_S
    """How long it may last when it begins in mid-crawl."""


class GivenUp(Exception):
    """The worker cannot go on: an obstacle lasts too long."""

    def __init__(self, obstacle: Obstacle) -> None:
        super().__init__(obstacle.sentence)
        self.obstacle = obstacle


def untrusted(host: str, why: str) -> Obstacle:
    """The server's certificate is not trusted."""
    return Obstacle(
        "untrusted_certificate",
        f"The certificate that {host} shows is not trusted here ({why}): a proxy that reads along needs its "
        "own certificate in the file that SSL_CERT_FILE names; else see whether this machine's clock and "
        f"certificates are right, or whether the provider diverts {host}{_or_the_other_name(host)}",
    )


def not_found(host: str, why: str) -> Obstacle:
    """The host's name has no address, from the first request on."""
    return Obstacle(
        "host_not_found",
        f"The name {host} cannot be resolved ({why}): check the network, its DNS, TMDB_API_URL "
        f"and HTTPS_PROXY{_or_the_other_name(host)}",
        later_s=math.inf,  # an outage
    )


def proxy_refused(host: str, why: str) -> Obstacle:
    """The proxy lets nothing through to the API."""
    return Obstacle(
        "proxy_refused",
        f"The proxy lets no request through to {host} ({why}): check HTTPS_PROXY, the user and password "
        "in it, and what the proxy allows",
    )


def diverted(host: str, address: str) -> Obstacle:
    """The DNS has an address for the API that cannot be the API's."""
    return Obstacle(
        "diverted",
        f"The DNS of this network says that {host} is at {address}, which cannot be: use another DNS server"
        f"{_or_the_other_name(host)}",
    )


def wrong_url(api_url: str) -> Obstacle:
    """What is known to be there is not: the requests do not reach the API."""
    return Obstacle(
        "wrong_api_url",
        f"{api_url} says even of what is always there that it does not exist: TMDB_API_URL must be the API's "
        "address with its version, such as https://api.themoviedb.org/3",
        from_the_start_s=0.0,
    )


def key_refused() -> Obstacle:
    """TMDb does not take the key."""
    return Obstacle(
        "key_refused",
        "TMDb refused TMDB_API_KEY: put a valid key into .env and start again",
        from_the_start_s=0.0,
        later_s=0.0,
    )


def in_response(host: str, status: int, location: str, body: bytes) -> Obstacle | None:
    """What a response that is not the API's own says of the way there, if it says anything."""
    if 300 <= status < 400:
        target = urlsplit(location).hostname or "another place"
        return Obstacle(
            "redirected",
            f"{host} sends requests on to {target}, which TMDb does not do: log in with a browser where this "
            f"network asks for it, or check TMDB_API_URL{_or_the_other_name(host)}",
        )
    if status == 511:
        return Obstacle(
            "login_needed", "This network wants a login first (HTTP 511): open any page in a browser"
        )
    if _COUNTRY.search(body):
        return Obstacle(
            "country_blocked",
            f"{host} refuses requests from this country (HTTP {status}): send them through a proxy elsewhere "
            f"with HTTPS_PROXY{_or_the_other_name(host)}",
        )
    if status < 500 and _MARKUP.match(body):
        return Obstacle(
            "page",
            f"{host} shows a page instead of TMDb's data (HTTP {status}): the provider blocks it, this "
            f"network wants a login in a browser, or TMDB_API_URL is wrong{_or_the_other_name(host)}",
        )
    return None


def _or_the_other_name(host: str) -> str:
    if host != FIRST_NAME:
        return ""
    return f"; or try TMDB_API_URL=https://{SECOND_NAME}/3, TMDb's own second name"


class Hold:
    """How long an obstacle has been in the way. Time is passed in, in seconds of any clock."""

    def __init__(self) -> None:
        self._reached = False
        self._since_s: float | None = None

    def passed(self) -> None:
        """The API itself responded."""
        self._reached = True
        self._since_s = None

    def too_long(self, obstacle: Obstacle, now_s: float) -> bool:
        """A request met an obstacle: whether that has lasted for longer than it may."""
        if self._since_s is None:
            self._since_s = now_s
        return now_s - self._since_s >= (obstacle.later_s if self._reached else obstacle.from_the_start_s)
