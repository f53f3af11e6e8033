"""Who may see the page and act on it. What is not allowed here is refused."""

from __future__ import annotations

import base64
import hmac
import ipaddress
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from tmdb_scrapy.values import Secret, is_loopback

logger = logging.getLogger(__name__)

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
WITHOUT_A_TOKEN = frozenset({"/livez", "/readyz"})
"""They tell nothing but whether it runs."""


@dataclass(frozen=True, slots=True)
class Doors:
    """What is asked of every request."""

    host: str
    """The address that is listened on."""
    token: Secret
    """DASHBOARD_TOKEN; empty for none."""
    actions: bool
    """Whether anything may be changed at all."""

    def problem(self) -> str:
        """Why it must not be served so; empty when it may."""
        if not self.token and not is_loopback(self.host):
            return f"--host {self.host} lets other machines in: set DASHBOARD_TOKEN first (in .env)"
        if not self.token and self.actions:
            return "--actions needs DASHBOARD_TOKEN (in .env): whoever has it may pause, resume and requeue"
        return ""

    def admits_host(self, host: str) -> bool:
        """Whether the header `Host` is a name that this is meant to have: not an attacker's own that leads to
        this machine (DNS rebinding). An address cannot be such a name."""
        name = _name_in(host)
        return name == "localhost" or name == self.host.lower() or _is_address(name)

    def knows_viewer(self, headers: Mapping[str, str]) -> bool:
        """Whether who asks may look. On loopback everybody may; elsewhere the token is asked for, as a
        bearer's or as the password of HTTP's basic authentication, which browsers ask people for."""
        return is_loopback(self.host) or self.is_token(_bearer(headers)) or self.is_token(_password(headers))

    def is_token(self, told: str) -> bool:
        """Whether `told` is the token, in a time that tells nothing of it."""
        # Bytes of a header that are no text come as halves of surrogate pairs.
        given = told.encode(errors="surrogatepass")
        return bool(self.token) and hmac.compare_digest(given, str(self.token).encode())


def is_from_here(headers: Mapping[str, str]) -> bool:
    """Whether a request that changes something comes from this page or from a program, not from another site.

    A browser says so itself (`Sec-Fetch-Site`), also behind a proxy that changes `Host`; an older one tells
    `Origin`, which has to be the host that it asked.
    """
    site, origin = headers.get("Sec-Fetch-Site"), headers.get("Origin")
    if site is not None:
        return site == "same-origin"
    return origin is None or origin.partition("://")[2] == headers.get("Host", "")


def guard(doors: Doors) -> Middleware:
    """The middleware that asks, before anything else, and gives every response its headers."""

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            refusal = _refusal(doors, request)
            response = await handler(request) if refusal is None else refusal
        except web.HTTPException as error:
            response = web.Response(status=error.status, text=f"{error.reason}\n")
            if "Allow" in error.headers:
                response.headers["Allow"] = error.headers["Allow"]
        except Exception:
            if request.writer.output_size:
                raise  # too late for another response
            logger.exception("%s %s went wrong", request.method, request.path)
            response = web.Response(status=500, text="this went wrong; what the server prints says why\n")
        if not response.prepared:
            response.headers.update(HEADERS)
        return response

    return guarded


def _refusal(doors: Doors, request: web.Request) -> web.Response | None:
    if not doors.admits_host(request.headers.get("Host", "")):
        return web.Response(
            status=403, text="this name is not one of mine: ask for the address or localhost\n"
        )
    if request.path not in WITHOUT_A_TOKEN and not doors.knows_viewer(request.headers):
        asked = {"WWW-Authenticate": 'Basic realm="tmdb: any name, DASHBOARD_TOKEN", charset="UTF-8"'}
        return web.Response(status=401, text="DASHBOARD_TOKEN is needed here\n", headers=asked)
    return None


def told_token(headers: Mapping[str, str], field: object) -> str:
    """The token that a request for an action brings: as a bearer's, or in the form's field."""
    return _bearer(headers) or (field if isinstance(field, str) else "")


def _bearer(headers: Mapping[str, str]) -> str:
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _password(headers: Mapping[str, str]) -> str:
    scheme, _, encoded = headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[2]
    except ValueError:
        return ""


def _name_in(host: str) -> str:
    """The name in a header `Host`, without port and brackets."""
    found = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([^:\[\]/@]+))(?::\d+)?", host)
    return (found[1] or found[2]).lower() if found else ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
