"""`.env` and the environment become one typed, validated, immutable `Config`.

Every key, its default and its meaning stand once, in the fields of `Config`; a test checks the keys and
defaults of the README's table and of `.env.example` against them.
"""

from __future__ import annotations

import dataclasses
import io
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import redis
from dotenv import dotenv_values
from scrapy.settings import SETTINGS_PRIORITIES, BaseSettings

ENV_FILE = ".env"
"""Read from the working directory; the environment wins over it."""

AUTO = "auto"


class ConfigError(ValueError):
    """The configuration cannot be used.

    `problems` holds one sentence for each bad value, naming its key, the value and what is allowed, so
    that a user mends all of them in one go.
    """

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(["the configuration has problems:", *(f"  {p}" for p in problems)]))


class Secret(str):
    """A value that may be used but never shown: its repr hides it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret('***')" if self else "Secret('')"


def _whole_number(minimum: int, maximum: int | None = None) -> Callable[[str], int]:
    allowed = f"a whole number from {minimum}" + (f" to {maximum}" if maximum is not None else "")

    def parse(text: str) -> int:
        if not re.fullmatch(r"-?\d{1,18}", text.strip()):
            raise ValueError(allowed)
        number = int(text)
        if number < minimum or (maximum is not None and number > maximum):
            raise ValueError(allowed)
        return number

    return parse


def _rate(text: str) -> float:
    if not re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text.strip()):
        raise ValueError("a number of requests a second, 0 for no limit of ours")
    return float(text)


def _processes(text: str) -> int:
    if text.strip().lower() == AUTO:
        return len(os.sched_getaffinity(0))
    try:
        return _whole_number(1, 256)(text)
    except ValueError:
        raise ValueError("a whole number from 1 to 256, or 'auto' for one a core") from None


def _switch(text: str) -> bool:
    lowered = text.strip().lower()
    if lowered in {"1", "on", "true", "yes"}:
        return True
    if lowered in {"0", "off", "false", "no"}:
        return False
    raise ValueError("on or off")


def _url(*schemes: str) -> Callable[[str], str]:
    allowed = " or ".join(f"{scheme}://…" for scheme in schemes)

    def parse(text: str) -> str:
        try:
            parts = urlsplit(text)
            complete = parts.scheme in schemes and bool(parts.hostname or parts.scheme == "unix")
            _ = parts.port
        except ValueError:
            # urlsplit's own words quote the password.
            raise ValueError(allowed) from None
        if not complete:
            raise ValueError(allowed)
        return text.rstrip("/")

    return parse


def _path(text: str) -> Path:
    if not text.strip():
        raise ValueError("a path")
    return Path(text)


def _share(text: str) -> Secret:
    return Secret(_url("https", "http")(text) if text else "")


def _redis_url(text: str) -> Secret:
    url = _url("redis", "rediss", "unix")(text)
    parts = urlsplit(url)
    if "@" in parts.path + parts.query + parts.fragment:
        raise ValueError("redis://:password@host:port/0, with / # ? @ in the password as %2F %23 %3F %40")
    if parts.scheme != "unix" and not re.fullmatch(r"(/\d*)?", parts.path):
        raise ValueError("redis://host:port/0, where 0 is the number of a database")
    try:
        redis.ConnectionPool.from_url(url).make_connection()
    except (TypeError, ValueError):
        raise ValueError("redis://host:port/0, with no options but those that redis-py knows") from None
    return Secret(url)


def _appended_parts(text: str) -> tuple[str, ...]:
    parts = tuple(part.strip() for part in text.split(",") if part.strip())
    if len(parts) > 20 or not all(re.fullmatch(r"[a-z_]+", part) for part in parts):
        raise ValueError("at most 20 names of TMDb's methods such as credits,keywords")
    return parts


def _api_key(text: str) -> Secret:
    if text and not re.fullmatch(r"[0-9A-Fa-f]{32}|eyJ[\w.-]+", text):
        raise ValueError("a v3 API key (32 hexadecimal digits) or a v4 read access token (begins with eyJ)")
    return Secret(text)


def _language(text: str) -> str:
    if not re.fullmatch(r"[a-z]{2}(-[A-Z]{2})?", text):
        raise ValueError("a language such as en-US")
    return text


def _key(default: str, parse: Callable[[str], Any], meaning: str, secret: bool = False) -> Any:
    return dataclasses.field(
        metadata={"default": default, "parse": parse, "meaning": meaning, "secret": secret}, repr=not secret
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What the user decided. A field is its `.env` key in lower case."""

    ips: Path = _key("ips.txt", _path, "file with one host a line")
    remote_user: str = _key("", str, "SSH user on every host")
    remote_host: str = _key("", str, "the main machine, which runs Redis")
    remote_working_dir: str = _key("", str, "working directory on each machine")
    tmdb_api_key: Secret = _key("", _api_key, "v3 key or v4 read access token", secret=True)
    threads: int = _key("20", _whole_number(1, 10_000), "concurrent requests a machine")
    processes: int = _key("1", _processes, "workers a machine; they share THREADS and RATE_LIMIT")
    rate_limit: float = _key("40", _rate, "requests a second a machine; 0 finds the server's limit")
    fleet_rate_limit: float = _key("0", _rate, "requests a second of all machines together; 0 for none")
    ssh_trust_new: bool = _key("0", _switch, "1 accepts unknown (never changed) SSH host keys")
    redis_url: Secret = _key("redis://127.0.0.1:6379/0", _redis_url, "the shared queue", secret=True)
    data_dir: Path = _key("data", _path, "parts, merged files and downloaded exports")
    min_budget: int = _key("1000", _whole_number(0), "kept when budget > MIN_BUDGET, in US dollars")
    min_revenue: int = _key("10000000", _whole_number(0), "kept when revenue >= MIN_REVENUE, in US dollars")
    filter: bool = _key("on", _switch, "off keeps every movie")
    popular_people: int = _key("10000", _whole_number(0), "most popular people to seed; 0 for all")
    append_to_response: tuple[str, ...] = _key(
        "credits,keywords,similar,recommendations", _appended_parts, "what a movie's record carries along"
    )
    language: str = _key("en-US", _language, "language of titles and texts")
    tmdb_api_url: str = _key("https://api.themoviedb.org/3", _url("https", "http"), "where the API lives")
    tmdb_export_url: str = _key(
        "https://files.tmdb.org/p/exports", _url("https", "http"), "where the daily ID export lives"
    )
    nextcloud_upload: Secret = _key(
        "", _share, "link of a Nextcloud public share, or of a folder of it", secret=True
    )
    nextcloud_password: Secret = _key("", Secret, "its password, if it has one", secret=True)

    @classmethod
    def defaults(cls) -> dict[str, str]:
        """Every key with its default, as text."""
        return {field.name.upper(): field.metadata["default"] for field in dataclasses.fields(cls)}

    @classmethod
    def load(cls, environment: Mapping[str, str] | None = None, env_file: Path | None = None) -> Config:
        """Read `env_file` (default: `.env` in the working directory, which may be absent) and
        `environment` (default: the process's; it wins).

        Raises `ConfigError` with every problem at once.
        """
        environment = os.environ if environment is None else environment
        path = Path(ENV_FILE) if env_file is None else env_file
        try:
            written = read_env_file(path)
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError([f"{path}: cannot be read: {error}"]) from None
        values: dict[str, Any] = {}
        problems: list[str] = []
        for field in dataclasses.fields(cls):
            key = field.name.upper()
            given = None if is_gettexts(key, environment) else environment.get(key)
            default, parse = field.metadata["default"], field.metadata["parse"]
            text = written.get(key, default) if given is None else given
            if not text and key == "REDIS_URL":  # a line that `make init` has yet to fill
                text = default
            try:
                values[field.name] = parse(text)
            except ValueError as error:
                shown = "" if field.metadata["secret"] else f"={text!r}"
                problems.append(f"{key}{shown}: must be {error}")
        problems.extend(_contradictions(values))
        if problems:
            raise ConfigError(problems)
        return cls(**values)

    @classmethod
    def from_settings(cls, settings: BaseSettings) -> Config:
        """As `load`, with what `scrapy … -s KEY=VALUE` set on top. Raises `ConfigError`.

        Secrets are refused there: a command line is for everybody on the machine to read.
        """
        given: dict[str, str] = {}
        problems = []
        for field in dataclasses.fields(cls):
            key = field.name.upper()
            if (settings.getpriority(key) or 0) < SETTINGS_PRIORITIES["cmdline"]:
                continue
            if field.metadata["secret"]:
                problems.append(f"{key}: must not be given with -s, where everybody sees it; put it in .env")
            given[key] = str(settings[key])
        if problems:
            raise ConfigError(problems)
        return cls.load({**os.environ, **given})

    @property
    def concurrency_per_worker(self) -> int:
        """`THREADS / PROCESSES`, at least 1."""
        return max(1, self.threads // self.processes)

    @property
    def rate_per_worker(self) -> float:
        """`RATE_LIMIT / PROCESSES` in requests a second; 0 finds the limit."""
        return self.rate_limit / self.processes


def is_gettexts(key: str, environment: Mapping[str, str]) -> bool:
    """Whether the variable `key` is not meant for us: LANGUAGE is also gettext's, a locale or a list of them,
    such as the `en_US:en` that Debian's installer puts into every login's environment."""
    return key == "LANGUAGE" and bool(re.search("[_:]|^(C|POSIX)$", environment.get(key, "")))


def _contradictions(values: Mapping[str, Any]) -> list[str]:
    appended = values.get("append_to_response")
    if values.get("filter") and appended is not None and "credits" not in appended:
        return [
            f"APPEND_TO_RESPONSE={','.join(appended)!r}: must contain credits while FILTER is on, "
            "because the filter needs cast and crew (or set FILTER=off)"
        ]
    return []


def read_env_file(path: Path) -> dict[str, str]:
    """The keys of a `.env` file; none when there is no such file.

    Accepts what python-dotenv does, and the original program's ` ; comment` after an unquoted value.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    without_comments = re.sub(
        r"""(?m)^(\s*[\w.]+\s*=\s*[^'"\s;][^\n]*?|\s*[\w.]+\s*=)[ \t]+;.*$""", r"\1", text
    )
    without_comments = re.sub(
        r"""(?m)^(\s*[\w.]+\s*=\s*(?:'[^'\n]*'|"[^"\n]*"))[ \t]+;.*$""", r"\1", without_comments
    )
    without_comments = re.sub(r"(?m)^\s*;.*$", "", without_comments)
    parsed = dotenv_values(stream=io.StringIO(without_comments), interpolate=False)
    return {key: value for key, value in parsed.items() if value is not None}


def without_secrets(url: str) -> str:
    """`url` with its user, password and query replaced, fit for logs and errors."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    if "@" in parts.netloc:
        host = f"***@{host}"
    return parts._replace(netloc=host, query="***" if parts.query else "", fragment="").geturl()
