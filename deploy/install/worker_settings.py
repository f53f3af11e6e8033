"""The `.env` that workers read on their host."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from deploy.on_host.install import release
from deploy.ssh.failures import FleetError
from deploy.ssh.remote_calls import RemoteCalls
from tmdb_scrapy.config import ENV_FILE, Config, is_gettexts, read_env_file

NOT_FOR_WORKERS = {"IPS", "REMOTE_USER", "REMOTE_HOST", "REMOTE_WORKING_DIR", "SSH_TRUST_NEW"}
DECIDED_ON_THE_HOST = {"DATA_DIR"}
NOT_PASSED_ON = [
    *Config.settings(),
    "SCRAPY_PROJECT",
    "SCRAPY_SETTINGS_MODULE",
    "PYTHONHOME",
    "PYTHONPATH",
]
"""Variables that, in a host's login environment, would beat the `.env` and the packages that we put there.
Debian's is often LANGUAGE=en_US:en."""


def for_workers(
    redis_url: str, environment: Mapping[str, str] = os.environ, env_file: Path | None = None
) -> str:
    """All that the user's `.env` says, and the configuration's keys from the environment, which win;
    without what only the fleet's driver needs.

    Raises `FleetError` for a value that a `.env` cannot hold.
    """
    values = read_env_file(Path(ENV_FILE) if env_file is None else env_file)
    for key in Config.settings():
        if key in environment and not is_gettexts(key, environment):
            values[key] = environment[key]
    values["REDIS_URL"] = redis_url
    left_out = NOT_FOR_WORKERS | DECIDED_ON_THE_HOST
    return "".join(_line(key, value) for key, value in sorted(values.items()) if key not in left_out)


def send(calls: RemoteCalls, working_dir: str, settings: str, authority: str) -> bool:
    """Put the workers' `.env` on a host, and the authority of a rediss:// URL if there is one; False if that
    `.env` was there already."""
    return calls.call(
        release.write_environment_file, working_dir=working_dir, text=settings, authority=authority
    )


def _line(key: str, value: str) -> str:
    if "\n" in value or "\r" in value:
        raise FleetError(f"{key} in .env spans lines, which the hosts' .env cannot: write it on one")
    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"{key}='{quoted}'\n"
