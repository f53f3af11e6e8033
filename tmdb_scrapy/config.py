"""`.env` and the environment become one typed, validated, immutable `Config`.

Every key, its default and its meaning stand once: those of the whole program in the fields of `Config`, those
of one kind of record with the kind. A test checks the README's table and `.env.example` against them.
"""

from __future__ import annotations

import dataclasses
import os
import re
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tmdb_scrapy import values as value
from tmdb_scrapy.env_file import ENV_FILE, EnvFileError, misspelt, read_env_file
from tmdb_scrapy.kinds import KINDS, Kind
from tmdb_scrapy.values import Secret, Setting

if TYPE_CHECKING:
    from scrapy.settings import BaseSettings


class ConfigError(ValueError):
    """The configuration cannot be used.

    `problems` holds one sentence for each bad value, naming its key, the value and what is allowed, so
    that a user mends all of them in one go.
    """

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(["the configuration has problems:", *(f"  {p}" for p in problems)]))


def _key(default: str, parse: Callable[[str], Any], meaning: str, secret: bool = False) -> Any:
    return dataclasses.field(
        metadata={"default": default, "parse": parse, "meaning": meaning, "secret": secret}, repr=not secret
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What the user decided. A field is its `.env` key in lower case; keys of kinds are in `of_kinds`."""

    ips: Path = _key("ips.txt", value.path, "file with one host a line")
    remote_user: str = _key("", str, "SSH user on every host")
    remote_host: str = _key("", str, "the main machine, which runs Redis")
    remote_working_dir: str = _key("", str, "working directory on each machine")
    tmdb_api_key: Secret = _key("", value.api_key, "v3 key or v4 read access token", secret=True)
    threads: int = _key("20", value.whole_number(1, 10_000), "concurrent requests a machine")
    processes: int = _key("1", value.processes, "workers a machine; they share THREADS and RATE_LIMIT")
    rate_limit: float = _key("40", value.rate, "requests a second a machine; 0 finds the server's limit")
    fleet_rate_limit: float = _key("0", value.rate, "requests a second of all machines together; 0 for none")
    ssh_trust_new: bool = _key("0", value.switch, "1 accepts unknown (never changed) SSH host keys")
    redis_url: Secret = _key("redis://127.0.0.1:6379/0", value.redis_url, "the shared queue", secret=True)
    data_dir: Path = _key("data", value.directory, "parts, merged files and downloaded exports")
    language: str = _key("en-US", value.language, "language of titles and texts")
    tmdb_api_url: str = _key("https://api.themoviedb.org/3", value.api_url, "where the API lives")
    tmdb_export_url: str = _key(
        "https://files.tmdb.org/p/exports", value.url("https", "http"), "where the daily ID export lives"
    )
    tmdb_engine: str = _key(
        "direct", value.one_of("direct", "scrapy"), "the shorter way through Scrapy's engine, or Scrapy's own"
    )
    https_proxy: Secret = _key("", value.proxy, "proxy for https://, never for loopback", secret=True)
    http_proxy: Secret = _key("", value.proxy, "proxy for http://", secret=True)
    all_proxy: Secret = _key("", value.proxy, "proxy for what has none of its own", secret=True)
    no_proxy: str = _key("", str, "hosts, domains and networks without a proxy; * for all")
    max_age_days: int = _key(
        "150", value.whole_number(1, 100_000), "a refresh asks again for what is older, in days"
    )
    nextcloud_upload: Secret = _key(
        "", value.link, "link of a Nextcloud public share, or of a folder of it", secret=True
    )
    nextcloud_password: Secret = _key("", Secret, "its password, if it has one", secret=True)
    dashboard_token: Secret = _key(
        "", Secret, "lets others see the dashboard, and act on it with --actions", secret=True
    )
    notify_url: Secret = _key("", value.link, "a webhook that hears how an update ended", secret=True)
    of_kinds: Mapping[str, Any] = dataclasses.field(metadata={})
    """The settings that kinds bring, by key: `APPEND_TO_RESPONSE`, `FILTER`, …"""
    remarks: tuple[str, ...] = dataclasses.field(metadata={})
    """What the user should know of a configuration that can be used all the same."""

    @classmethod
    def settings(cls) -> dict[str, Setting]:
        """Every key that is understood, in the order in which they are listed."""
        found = {}
        for field in dataclasses.fields(cls):
            if told := field.metadata:
                found[field.name.upper()] = Setting(
                    field.name.upper(), told["default"], told["parse"], told["meaning"], told["secret"]
                )
        for kind in KINDS.values():
            found.update((setting.key, setting) for setting in kind.settings)
        return found

    @classmethod
    def defaults(cls) -> dict[str, str]:
        """Every key with its default, as text."""
        return {key: setting.default for key, setting in cls.settings().items()}

    @classmethod
    def load(cls, environment: Mapping[str, str] | None = None, env_file: Path | None = None) -> Config:
        """Read `env_file` (default: `.env` in the working directory, which may be absent) and
        `environment` (default: the process's; it wins).

        Raises `ConfigError` with every problem at once.
        """
        environment = os.environ if environment is None else environment
        file = Path(ENV_FILE) if env_file is None else env_file
        written, problems = _written(file)
        known = cls.settings()
        problems += [
            f"{file}: {key} is no key of this program; {meant} is"
            for key, meant in misspelt(written, known).items()
        ]
        loaded: dict[str, Any] = {}
        for key, setting in known.items():
            given = _given(key, environment)
            text = written.get(key, setting.default) if given is None else given
            try:
                loaded[key] = _parsed(setting, text)
            except ValueError as error:
                shown = "" if setting.secret else f"={text!r}"
                problems.append(f"{key}{shown}: must be {error}")
        problems += _contradictions(loaded)
        if problems:
            raise ConfigError(problems)
        return cls._of(loaded, tuple(_remarks(file, written, loaded)))

    @classmethod
    def _of(cls, loaded: Mapping[str, Any], remarks: tuple[str, ...]) -> Config:
        own = {field.name for field in dataclasses.fields(cls)}
        return cls(
            **{key.lower(): each for key, each in loaded.items() if key.lower() in own},
            of_kinds={key: each for key, each in loaded.items() if key.lower() not in own},
            remarks=remarks,
        )

    @classmethod
    def from_settings(cls, settings: BaseSettings) -> Config:
        """As `load`, with what `scrapy … -s KEY=VALUE` set on top. Raises `ConfigError`."""
        return cls.load({**os.environ, **cls.given(settings)})

    @classmethod
    def given(cls, settings: BaseSettings) -> dict[str, str]:
        """What `scrapy … -s KEY=VALUE` set, as the environment of a process would say it.

        Secrets are refused there: a command line is for everybody on the machine to read. Raises
        `ConfigError`.
        """
        # Whoever has settings has Scrapy; the dashboard's server has neither.
        from scrapy.settings import SETTINGS_PRIORITIES

        given: dict[str, str] = {}
        problems = []
        for key, setting in cls.settings().items():
            if (settings.getpriority(key) or 0) < SETTINGS_PRIORITIES["cmdline"]:
                continue
            if setting.secret:
                problems.append(f"{key}: must not be given with -s, where everybody sees it; put it in .env")
            given[key] = str(settings[key])
        if problems:
            raise ConfigError(problems)
        return given

    @property
    def concurrency_per_worker(self) -> int:
        """`THREADS / PROCESSES`, at least 1."""
        return max(1, self.threads // self.processes)

    @property
    def rate_per_worker(self) -> float:
        """`RATE_LIMIT / PROCESSES` in requests a second; 0 finds the limit."""
        return self.rate_limit / self.processes

    def appended(self, kind: Kind) -> tuple[str, ...]:
        """What `append_to_response` asks for with each record of a kind."""
        names: tuple[str, ...] = self.of_kinds[kind.append_key]
        return names

    def filters(self, kind: Kind) -> bool:
        """Whether records of a kind are dropped when they do not qualify."""
        return kind.filter is not None and bool(self.of_kinds[kind.filter.switch])


def is_gettexts(key: str, environment: Mapping[str, str]) -> bool:
    """Whether the variable `key` is not meant for us: LANGUAGE is also gettext's, a locale or a list of them,
    such as the `en_US:en` that Debian's installer puts into every login's environment."""
    return key == "LANGUAGE" and bool(re.search("[_:]|^(C|POSIX)$", environment.get(key, "")))


def _given(key: str, environment: Mapping[str, str]) -> str | None:
    """What the environment says of a key. Those of proxies count in lower case too, as for curl."""
    if is_gettexts(key, environment):
        return None
    if key.endswith("_PROXY"):
        lowered = environment.get(key.lower())
        # A web server's CGI makes HTTP_PROXY of a request's header "Proxy": https://httpoxy.org
        if lowered is not None or (key == "HTTP_PROXY" and "REQUEST_METHOD" in environment):
            return lowered
    return environment.get(key)


def _written(file: Path) -> tuple[dict[str, str], list[str]]:
    """What the file says, and what is wrong with it."""
    try:
        return read_env_file(file), []
    except EnvFileError as error:
        return {}, error.problems
    except (OSError, UnicodeDecodeError) as error:
        return {}, [f"{file}: cannot be read: {error}"]


def _parsed(setting: Setting, text: str) -> Any:
    """The value; an empty text that is no value of its own stands for the default. Raises `ValueError`."""
    if not text.isprintable() or "\udc80" <= max(text, default="") <= "\udcff":
        raise ValueError("text in UTF-8 without control characters")
    try:
        return setting.parse(text)
    except ValueError:
        if text:
            raise
        return setting.parse(setting.default)


def _contradictions(loaded: Mapping[str, Any]) -> list[str]:
    problems = []
    for kind in KINDS.values():
        appended = loaded.get(kind.append_key)
        if kind.filter is None or appended is None or not loaded.get(kind.filter.switch):
            continue
        missing = [name for name in kind.filter.needs if name not in appended]
        if missing:
            problems.append(
                f"{kind.append_key}={','.join(appended)!r}: must contain {', '.join(missing)} while "
                f"{kind.filter.switch} is on, because the filter needs it (or set {kind.filter.switch}=off)"
            )
    return problems


def _remarks(file: Path, written: Mapping[str, str], loaded: Mapping[str, Any]) -> list[str]:
    remarks = []
    key, share = loaded["TMDB_API_KEY"], urlsplit(loaded["NEXTCLOUD_UPLOAD"])
    if key and not re.fullmatch(r"[0-9A-Fa-f]{32}|eyJ[\w.-]+", key):
        remarks.append(
            "TMDB_API_KEY has an unusual form: a v3 key has 32 hexadecimal digits, a v4 read access token "
            "begins with eyJ. It is sent as it is"
        )
    if share.scheme == "http" and not value.is_loopback(share.hostname or ""):
        remarks.append(
            "NEXTCLOUD_UPLOAD is http://: everybody on the way can read the link, its password and the data. "
            "Write https:// if that server has it"
        )
    secrets = [name for name, setting in Config.settings().items() if setting.secret and written.get(name)]
    if secrets and stat.S_IMODE(file.stat().st_mode) & 0o077:
        remarks.append(f"others on this machine can read {', '.join(secrets)}: chmod 600 {file}")
    return remarks


def without_secrets(url: str) -> str:
    """`url` with its user, password and query replaced, fit for logs and errors."""
    split = urlsplit(url)
    host = split.netloc.rpartition("@")[2]
    if "@" in split.netloc:
        host = f"***@{host}"
    return split._replace(netloc=host, query="***" if split.query else "", fragment="").geturl()


__all__ = ["ENV_FILE", "Config", "ConfigError", "Secret", "read_env_file", "without_secrets"]
