"""Where the fleet's Redis is, and its password: decided here, written into `.env` when it is new."""

from __future__ import annotations

import ipaddress
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from deploy.fleet import Fleet
from deploy.on_host.install.release import AUTHORITY_FILE
from deploy.ssh.failures import FleetError
from tmdb_scrapy.config import ENV_FILE, Secret, read_env_file, without_secrets
from tmdb_scrapy.own_redis import with_password

DEFAULT_PORT = 6379
USER = "tmdb"
KEY = "REDIS_URL"
AUTHORITY_OPTION = "ssl_ca_certs"
AUTHORITY_SEEN_FROM_RELEASE = f"../../{AUTHORITY_FILE}"
ELSEWHERE_ADVICE = "it is what REDIS_URL names: is it running, and does a firewall let this host through?"
ON_MAIN_ADVICE = (
    "make init starts it on REMOTE_HOST; then check the name and the firewall between the machines"
)


@dataclass(frozen=True)
class FleetRedis:
    """The Redis that all hosts share."""

    url: Secret
    on_main: bool
    """It runs on REMOTE_HOST and `make init` starts it; otherwise somebody else cares for it."""
    host: str
    port: int
    user: str
    password: Secret = field(repr=False)
    tls: bool
    authority: str = field(repr=False)
    """The PEM text of the file that the URL's `ssl_ca_certs` names here; empty for those that hosts trust."""
    advice: str
    """What to do where it cannot be reached."""

    @classmethod
    def at(cls, url: str, on_main: bool, advice: str = ON_MAIN_ADVICE) -> FleetRedis:
        """From a URL. Raises `FleetError` for an authority that cannot be read."""
        split = urlsplit(url)
        return cls(
            url=Secret(url),
            on_main=on_main,
            host=split.hostname or "",
            port=split.port or DEFAULT_PORT,
            user=unquote(split.username or "") or "default",
            password=Secret(unquote(split.password or "")),
            tls=split.scheme == "rediss",
            authority=_authority(dict(parse_qsl(split.query)).get(AUTHORITY_OPTION, "")),
            advice=advice,
        )

    @property
    def url_on_hosts(self) -> Secret:
        """The URL for workers, to whom the authority's file is sent along with their `.env`."""
        split = urlsplit(self.url)
        options = [
            (name, AUTHORITY_SEEN_FROM_RELEASE if name == AUTHORITY_OPTION else value)
            for name, value in parse_qsl(split.query)
        ]
        return Secret(split._replace(query=urlencode(options, safe="/")).geturl()) if options else self.url


def find(
    fleet: Fleet,
    environment: Mapping[str, str] = os.environ,
    env_file: Path | None = None,
    create: bool = False,
) -> FleetRedis:
    """The fleet's Redis according to REMOTE_HOST and REDIS_URL.

    With `create`, a REDIS_URL with a new password is written into `.env` when there is none and REMOTE_HOST
    is to run Redis. Raises `FleetError` for a Redis that hosts could not or must not use.
    """
    file = Path(ENV_FILE) if env_file is None else env_file
    written = environment.get(KEY) or read_env_file(file).get(KEY, "")
    if fleet.main is None:
        return _local(fleet, str(fleet.config.redis_url))
    main_address = fleet.connection(fleet.main).host
    if not written:
        if not create:
            raise FleetError("there is no REDIS_URL in .env yet: run make init first")
        host = f"[{main_address}]" if ":" in main_address else main_address
        written = f"redis://{USER}:{secrets.token_urlsafe(32)}@{host}:{DEFAULT_PORT}/0"
        add_to_env_file(file, KEY, written)
    return _on_main_or_elsewhere(fleet, written, {main_address.lower(), fleet.main.address.lower()})


def add_to_env_file(path: Path, key: str, value: str) -> None:
    """Write `key` into a `.env`, readable by its owner only from then on. An empty `KEY=` line is filled;
    all other lines stay as they are."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    line = f"{key}={value}"
    empty = re.compile(rf"(?m)^[ \t]*{key}[ \t]*=[ \t]*(;.*|#.*)?$")
    if empty.search(text):
        text = empty.sub(lambda _: line, text, count=1)
    else:
        text += ("" if text.endswith("\n") or not text else "\n") + line + "\n"
    unfinished = path.with_name(path.name + ".new")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    unfinished.replace(path.resolve() if path.is_symlink() else path)


def _local(fleet: Fleet, url: str) -> FleetRedis:
    # Workers of another user of this machine would not find the password of `make redis` by themselves.
    redis = FleetRedis.at(with_password(url), on_main=False, advice=ELSEWHERE_ADVICE)
    away = [host for host in fleet.hosts if not is_loopback(host.address)]
    if away and is_loopback(redis.host):
        raise FleetError(
            f"REDIS_URL={without_secrets(url)} is this machine only, and {away[0]} could not reach it: "
            "set REMOTE_HOST to the machine that shall run Redis, or REDIS_URL to one that all hosts reach"
        )
    return redis


def _on_main_or_elsewhere(fleet: Fleet, url: str, names_of_main: set[str]) -> FleetRedis:
    redis = FleetRedis.at(url, on_main=False, advice=_advice_about_another(url, names_of_main))
    if is_loopback(redis.host) and any(not is_loopback(name) for name in names_of_main):
        raise FleetError(
            f"REDIS_URL={without_secrets(url)} is loopback, which hosts cannot reach: remove it from .env "
            "(make init then starts Redis on REMOTE_HOST) or name a Redis that all hosts reach"
        )
    if redis.host not in names_of_main or redis.tls:
        return redis
    if not redis.password:
        raise FleetError(
            f"REDIS_URL={without_secrets(url)} has no password, and no Redis is opened to a network "
            "without one: add one, or remove the line from .env (make init then writes a new one)"
        )
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", redis.user):
        raise FleetError("the user name in REDIS_URL may have letters, digits, _ and - only")
    return FleetRedis.at(url, on_main=True)


def _advice_about_another(url: str, names_of_main: set[str]) -> str:
    """An earlier init may have written the URL for another REMOTE_HOST."""
    split = urlsplit(url)
    if split.username != USER or split.scheme != "redis":
        return ELSEWHERE_ADVICE
    return (
        f"{KEY} in .env names {split.hostname}, REMOTE_HOST is {' or '.join(sorted(names_of_main))} now: "
        f"if Redis is to move there, remove the {KEY} line, then make init and make seed"
    )


def _authority(file: str) -> str:
    try:
        return Path(file).read_text(encoding="ascii") if file else ""
    except (OSError, UnicodeDecodeError) as error:
        raise FleetError(
            f"{KEY}: {AUTHORITY_OPTION}={file} cannot be read: {error}; it has to be a PEM file on this "
            "machine, from where the hosts get it"
        ) from None


def is_loopback(name: str) -> bool:
    """Whether `name` (empty for a Unix socket) means the machine that says it."""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name in ("", "localhost", "localhost.localdomain", "ip6-localhost")
