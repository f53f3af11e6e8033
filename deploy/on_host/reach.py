"""Whether this host reaches Redis: RESP spoken by hand, before any library is installed."""

from __future__ import annotations

import socket
import ssl
import time

from deploy.on_host.workspace import Problem

TIMEOUT_S = 5.0


def ask_redis(host: str, port: int, user: str, password: str, tls: bool) -> float:
    """AUTH and PING; the seconds that the PING took. Raises `Problem`."""
    where = f"Redis at {host}:{port}"
    try:
        with socket.create_connection((host, port), TIMEOUT_S) as plain:
            wire = ssl.create_default_context().wrap_socket(plain, server_hostname=host) if tls else plain
            if password:
                _say(wire, "AUTH", user, password)
                answer = wire.recv(512)
                if not answer.startswith(b"+OK"):
                    raise Problem(
                        f"{where} refused the password", "make init gives it the one in .env; check REDIS_URL"
                    )
            before = time.monotonic()
            _say(wire, "PING")
            answer = wire.recv(512)
            took_s = time.monotonic() - before
    except OSError as error:
        raise Problem(
            f"no {where} from here: {error}",
            "make init starts it on REMOTE_HOST; then check the name and the firewall between the machines",
        ) from None
    if answer.startswith((b"+PONG", b"-LOADING")):
        return took_s
    raise Problem(f"{where} answered {answer[:80].decode('ascii', 'replace').strip()!r}", "check REDIS_URL")


def _say(wire: socket.socket, *words: str) -> None:
    encoded = [word.encode() for word in words]
    parts = [b"*%d\r\n" % len(encoded)]
    parts.extend(b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded)
    wire.sendall(b"".join(parts))
