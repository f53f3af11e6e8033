"""What of the user's configuration reaches a host: what its workers need, and no more."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from deploy.install.fleet_redis import is_loopback
from deploy.on_host.install import release
from deploy.ssh.failures import FleetError
from deploy.ssh.remote_calls import RemoteCalls
from tmdb_scrapy.config import ENV_FILE, Config, is_gettexts, read_env_file

NOT_FOR_WORKERS = {"IPS", "REMOTE_USER", "REMOTE_HOST", "REMOTE_WORKING_DIR", "SSH_TRUST_NEW"}
DECIDED_ON_THE_HOST = {"DATA_DIR"}
SECRETS_OF_WORKERS = {"TMDB_API_KEY", "REDIS_URL"}
"""A secret that is not among these stays here, whatever keys the configuration gets one day."""

SHARE = ("NEXTCLOUD_UPLOAD", "NEXTCLOUD_PASSWORD")
PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY")
"""A host's own way out counts, unless the user names one for all."""

OF_PYTHON_AND_SCRAPY = ("SCRAPY_PROJECT", "SCRAPY_SETTINGS_MODULE", "PYTHONHOME", "PYTHONPATH")


@dataclass(frozen=True)
class WorkerSettings:
    """For all hosts alike."""

    env_file: str = field(repr=False)
    """The text of the workers' `.env`."""
    not_passed_on: list[str]
    """Variables that, in a host's login environment, would beat the `.env` and the packages that we put
    there. Debian's is often LANGUAGE=en_US:en."""


def for_workers(
    redis_url: str, environment: Mapping[str, str] = os.environ, env_file: Path | None = None
) -> WorkerSettings:
    """From the user's `.env` and the environment, which wins.

    Raises `FleetError` for a value that a `.env` cannot hold.
    """
    settings = Config.settings()
    stays = NOT_FOR_WORKERS | DECIDED_ON_THE_HOST | {*SHARE, *PROXIES}
    stays |= {key for key, each in settings.items() if each.secret and key not in SECRETS_OF_WORKERS}
    values = _chosen([key for key in settings if key not in stays], environment, env_file)
    values["REDIS_URL"] = redis_url
    proxies = _proxies(environment, env_file)
    texts = sorted({**values, **proxies}.items())
    own_proxies = [*PROXIES, *(key.lower() for key in PROXIES)] if proxies else []
    return WorkerSettings(
        env_file="".join(_line(key, value) for key, value in texts),
        not_passed_on=[*(key for key in settings if key not in PROXIES), *OF_PYTHON_AND_SCRAPY, *own_proxies],
    )


def for_upload(environment: Mapping[str, str] = os.environ, env_file: Path | None = None) -> dict[str, str]:
    """The share's link and password, which lie on no host."""
    return _chosen(SHARE, environment, env_file)


def send(calls: RemoteCalls, working_dir: str, settings: WorkerSettings, authority: str) -> bool:
    """Put the workers' `.env` on a host, and the authority of a rediss:// URL if there is one; False if that
    `.env` was there already."""
    return calls.call(
        release.write_environment_file, working_dir=working_dir, text=settings.env_file, authority=authority
    )


def _chosen(
    keys: list[str] | tuple[str, ...], environment: Mapping[str, str], env_file: Path | None
) -> dict[str, str]:
    values = read_env_file(Path(ENV_FILE) if env_file is None else env_file)
    for key in keys:
        if key in environment and not is_gettexts(key, environment):
            values[key] = environment[key]
    return {key: values[key] for key in keys if key in values}


def _proxies(environment: Mapping[str, str], env_file: Path | None) -> dict[str, str]:
    """The user's, less those on loopback, which are this machine's own."""
    spelt = {key: environment.get(key.lower(), environment.get(key)) for key in PROXIES}
    exported = {key: text for key, text in spelt.items() if text is not None}
    chosen = {**_chosen(PROXIES, {}, env_file), **exported}
    proxies = {key: text for key, text in chosen.items() if key != "NO_PROXY" and text and not _is_here(text)}
    return {**proxies, "NO_PROXY": chosen["NO_PROXY"]} if proxies and "NO_PROXY" in chosen else proxies


def _is_here(proxy: str) -> bool:
    try:
        return is_loopback(urlsplit(proxy if "://" in proxy else f"http://{proxy}").hostname or "")
    except ValueError:
        return False  # a worker will say what is wrong with it


def _line(key: str, value: str) -> str:
    if "\n" in value or "\r" in value:
        raise FleetError(f"{key} in .env spans lines, which the hosts' .env cannot: write it on one")
    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"{key}='{quoted}'\n"
