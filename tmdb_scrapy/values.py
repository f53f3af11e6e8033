"""What the text of a `.env` key may be: each function makes a value of it, or raises `ValueError` that says
what is allowed."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import redis

AUTO = "auto"
APPENDED_MOST = 20
"""TMDb's own limit: https://developer.themoviedb.org/docs/append-to-response"""


class Secret(str):
    """A value that may be used but never shown: its repr hides it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret('***')" if self else "Secret('')"


@dataclass(frozen=True, slots=True)
class Setting:
    """One key of `.env`."""

    key: str
    default: str
    parse: Callable[[str], Any]
    """Raises `ValueError`, whose text completes the sentence "KEY: must be …"."""
    meaning: str
    secret: bool = False


def whole_number(minimum: int, maximum: int | None = None) -> Callable[[str], int]:
    """A parser of whole numbers within these bounds, both included."""
    allowed = f"a whole number from {minimum}" + (f" to {maximum}" if maximum is not None else "")

    def parse(text: str) -> int:
        if not re.fullmatch(r"-?\d{1,18}", text.strip()):
            raise ValueError(allowed)
        number = int(text)
        if number < minimum or (maximum is not None and number > maximum):
            raise ValueError(allowed)
        return number

    return parse


def rate(text: str) -> float:
    """Requests a second; 0 for no limit."""
    if not re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text.strip()):
        raise ValueError("a number of requests a second, 0 for no limit of ours")
    return float(text)


def processes(text: str) -> int:
    """A number of processes; `auto` for one a core."""
    if text.strip().lower() == AUTO:
        return len(os.sched_getaffinity(0))
    try:
        return whole_number(1, 256)(text)
    except ValueError:
        raise ValueError("a whole number from 1 to 256, or 'auto' for one a core") from None


def switch(text: str) -> bool:
    """On or off, in the words that people use for it."""
    lowered = text.strip().lower()
    if lowered in {"1", "on", "true", "yes"}:
        return True
    if lowered in {"0", "off", "false", "no"}:
        return False
    raise ValueError("on or off")


def one_of(*words: str) -> Callable[[str], str]:
    """A parser of one of these words, in any case."""

    def parse(text: str) -> str:
        if text.strip().lower() not in words:
            raise ValueError(" or ".join(words))
        return text.strip().lower()

    return parse


def url(*schemes: str) -> Callable[[str], str]:
    """A parser of URLs of these schemes; a slash at the end goes."""
    allowed = " or ".join(f"{scheme}://…" for scheme in schemes)

    def parse(text: str) -> str:
        try:
            split = urlsplit(text)
            complete = split.scheme in schemes and bool(split.hostname or split.scheme == "unix")
            _ = split.port
        except ValueError:
            # urlsplit's own words quote the password.
            raise ValueError(allowed) from None
        if not complete:
            raise ValueError(allowed)
        return text.rstrip("/")

    return parse


def api_url(text: str) -> str:
    """Where the API is. Not http:// but on this machine: the key would go over the network in clear."""
    checked = url("https", "http")(text)
    split = urlsplit(checked)
    if split.scheme == "http" and not is_loopback(split.hostname or ""):
        raise ValueError("https://…, since http:// would show TMDB_API_KEY to everybody on the way")
    return checked


def is_loopback(host: str) -> bool:
    """Whether `host`, a name or an address, is this machine by its loopback interface."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def proxy(text: str) -> Secret:
    """The URL of a proxy, or nothing; `host:port` is one of HTTP, as everywhere."""
    if not text:
        return Secret("")
    parse = url("http", "https", "socks4", "socks4a", "socks5", "socks5h")
    try:
        if " " in text:
            raise ValueError
        return Secret(parse(text if "://" in text else f"http://{text}"))
    except ValueError:
        raise ValueError("http://user:password@host:port, or the same with https:// or socks5h://") from None


def path(text: str) -> Path:
    """A path; `~` is the user's home."""
    if not text.strip():
        raise ValueError("a path")
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise ValueError("a path under a home that exists") from None


def directory(text: str) -> Path:
    """The path of a directory, or of nothing yet."""
    place = path(text)
    if place.exists() and not place.is_dir():
        raise ValueError("a directory, and that is a file")
    return place


def link(text: str) -> Secret:
    """The URL of a public share or a webhook, or nothing."""
    return Secret(url("https", "http")(text) if text else "")


def redis_url(text: str) -> Secret:
    """A URL that redis-py understands and that leaves values as bytes."""
    checked = url("redis", "rediss", "unix")(text)
    split = urlsplit(checked)
    if "@" in split.path + split.query + split.fragment:
        raise ValueError("redis://:password@host:port/0, with / # ? @ in the password as %2F %23 %3F %40")
    if split.scheme != "unix" and not re.fullmatch(r"(/\d*)?", split.path):
        raise ValueError("redis://host:port/0, where 0 is the number of a database")
    decoding = {"decode_responses", "encoding", "encoding_errors"} & parse_qs(split.query).keys()
    if decoding:
        raise ValueError(f"redis://host:port/0 without {', '.join(sorted(decoding))}: the ledger is bytes")
    try:
        redis.ConnectionPool.from_url(checked).make_connection()
    except (TypeError, ValueError):
        raise ValueError("redis://host:port/0, with no options but those that redis-py knows") from None
    return Secret(checked)


def appended(text: str) -> tuple[str, ...]:
    """Names for `append_to_response`, as TMDb spells them: `credits`, `watch/providers`, `season/3`."""
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    wrong = [name for name in names if not re.fullmatch(r"[a-z_]+(/[a-z_]+|/\d{1,4})?", name)]
    if wrong:
        raise ValueError(f"names such as credits,watch/providers,season/1 as TMDb has them, not {wrong[0]!r}")
    if len(names) > APPENDED_MOST:
        raise ValueError(f"at most {APPENDED_MOST} names, TMDb's own limit, not {len(names)}")
    return names


def api_key(text: str) -> Secret:
    """A key as TMDb gave it out. Its form is TMDb's business; only what no request can carry is refused."""
    if not re.fullmatch(r"[!-~]*", text):
        raise ValueError("without spaces, quotes of a word processor and control characters")
    return Secret(text)


def language(text: str) -> str:
    """A language with or without a country."""
    if not re.fullmatch(r"[a-z]{2}(-[A-Z]{2})?", text):
        raise ValueError("a language such as en-US")
    return text
