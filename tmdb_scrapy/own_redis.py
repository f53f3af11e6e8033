"""The Redis that this program started: whether it runs, and the password by which its user's programs enter.

The password lies beside the server's files, readable by its user alone. A REDIS_URL that names a loopback
port and no password means that server, if there is one: that of this project first, then any other that the
same user has running (another clone, or `scrapy redis start --directory`).
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

from redis.credentials import CredentialProvider
from redis.exceptions import ConnectionError as RedisConnectionError

from tmdb_scrapy import privacy
from tmdb_scrapy.values import Secret, is_loopback

DIRECTORY = Path(".redis")
CONFIGURATION = "redis.conf"
PASSWORD = "redis.password"  # noqa: S105
DEFAULT_PORT = 6379
USER = "default"
_EXECUTABLES = ("redis-server", "valkey-server")


def running(directory: Path) -> int | None:
    """Process ID of the Redis of `directory`, if it is alive and ours."""
    try:
        pid = int((directory / "redis.pid").read_text(encoding="ascii"))
        process = Path(f"/proc/{pid}")
        executable = (process / "exe").readlink().name
        works_in = (process / "cwd").readlink()
        title = (process / "cmdline").read_bytes().rstrip(b"\0 ")
    except (OSError, ValueError):
        return None
    # After a reboot the number may be anybody's. Where it works can be changed (CONFIG SET dir) as long as it
    # runs, its port cannot.
    same = works_in == directory.resolve() or title.endswith(b":%d" % (port_of(directory) or 0))
    return pid if executable.startswith(_EXECUTABLES) and same else None


def port_of(directory: Path) -> int | None:
    """The port of the Redis of `directory`, by the file that it is started with; None when there is none."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        lines = (directory / CONFIGURATION).read_text(encoding="utf-8").splitlines()
        return next((int(line.split()[1]) for line in lines if line.startswith("port ")), None)
    return None


def password_of(directory: Path) -> Secret:
    """The password of the Redis of `directory`; empty when it has none, as one of an earlier release."""
    try:
        return Secret((directory / PASSWORD).read_text(encoding="utf-8"))
    except OSError:
        return Secret("")


def keep_password(directory: Path, given: str) -> Secret:
    """The password to start the Redis of `directory` with: `given`, else the one that it had, else a new one.
    From then on it is found there. Raises `OSError`."""
    password = given or password_of(directory) or secrets.token_urlsafe(32)
    privacy.write(directory / PASSWORD, password.encode())
    return Secret(password)


def found_password(url: str) -> Secret:
    """The password for a REDIS_URL that has none; empty when it means no Redis of ours.

    Raises redis-py's `ConnectionError` when it means this project's own, and that does not run: whoever
    answers in its place is somebody else, and is told neither the password nor our IDs.
    """
    port = _port_of_ours(url)
    if port is None:
        return Secret("")
    if port_of(DIRECTORY) == port and (password := password_of(DIRECTORY)):
        if running(DIRECTORY) is None:
            raise RedisConnectionError(f"the Redis of {DIRECTORY}/ does not run")
        return password
    return next(filter(None, map(password_of, _running_on(port))), Secret(""))


def with_password(url: str) -> Secret:
    """`url` with the password that it lacks, for programs of others, who do not find it themselves."""
    try:
        password = found_password(url)
    except RedisConnectionError:
        password = password_of(DIRECTORY)
    return add_password(url, password)


def add_password(url: str, password: str) -> Secret:
    """`url` with a password; as it is when that is empty."""
    split = urlsplit(url)
    entering = f":{quote(password, safe='')}@" if password else ""
    return Secret(split._replace(netloc=f"{entering}{split.netloc}").geturl())


class OwnPassword(CredentialProvider):
    """Looks for the password at each new connection: a server that is started anew may have got one."""

    def __init__(self, url: str) -> None:
        self._url = url

    def get_credentials(self) -> tuple[str, str] | tuple[()]:  # type: ignore[override]
        """Raises redis-py's `ConnectionError`, as `found_password` does."""
        password = found_password(self._url)
        # With its user: a server without a password refuses one that comes alone.
        return (USER, str(password)) if password else ()

    async def get_credentials_async(self) -> tuple[str, str] | tuple[()]:  # type: ignore[override]
        return self.get_credentials()


def means_ours(url: str) -> bool:
    """Whether a Redis that this program started may be meant: one on loopback, no user or password given."""
    return _port_of_ours(url) is not None


def _port_of_ours(url: str) -> int | None:
    split = urlsplit(url)
    ours = split.scheme == "redis" and "@" not in split.netloc and is_loopback(split.hostname or "localhost")
    return (split.port or DEFAULT_PORT) if ours else None


def _running_on(port: int) -> Iterator[Path]:
    """The directories of this user's servers on `port`: of other users' processes none can be seen."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (process / "exe").readlink().name.startswith(_EXECUTABLES):
                directory = (process / "cwd").readlink()
                if port_of(directory) == port and running(directory) == int(process.name):
                    yield directory
