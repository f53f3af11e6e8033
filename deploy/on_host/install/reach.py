"""Whether this host reaches Redis: RESP spoken by hand, before any library is installed."""

from __future__ import annotations

import socket
import ssl
import time

from deploy.on_host.workspace import Problem

TIMEOUT_S = 5.0


def ask_redis(
    host: str, port: int, user: str, password: str, tls: bool, authority: str = "", advice: str = ""
) -> float:
    """AUTH and PING; the seconds that the PING took. `authority` is the PEM text to verify by, if not what
    this host trusts. Raises `Problem`, with `advice` when there is no way."""
    where = f"Redis at {host}:{port}"
    try:
        with _connect(host, port, tls, authority) as wire:
            if password:
                _authenticate(wire, user, password, where)
            before = time.monotonic()
            _say(wire, "PING")
            answer = wire.recv(512)
            took_s = time.monotonic() - before
    except ssl.SSLCertVerificationError as error:
        raise Problem(
            f"{where} is not to be trusted: {error.verify_message}",
            "if its authority is your own, end REDIS_URL with ?ssl_ca_certs=/path/to/ca.pem, a file on the "
            "machine where you type make; hosts get it from there",
        ) from None
    except OSError as error:
        raise Problem(f"no {where} from here: {error}", advice) from None
    if answer.startswith((b"+PONG", b"-LOADING")):
        return took_s
    raise Problem(f"{where} answered {answer[:80].decode('ascii', 'replace').strip()!r}", "check REDIS_URL")


def _connect(host: str, port: int, tls: bool, authority: str) -> socket.socket:
    context = ssl.create_default_context(cadata=authority or None) if tls else None
    plain = socket.create_connection((host, port), TIMEOUT_S)
    return context.wrap_socket(plain, server_hostname=host) if context else plain


def _authenticate(wire: socket.socket, user: str, password: str, where: str) -> None:
    _say(wire, "AUTH", user, password)
    if not wire.recv(512).startswith(b"+OK"):
        raise Problem(f"{where} refused the password", "make init gives it the one in .env; check REDIS_URL")


def _say(wire: socket.socket, *words: str) -> None:
    encoded = [word.encode() for word in words]
    lines = [b"*%d\r\n" % len(encoded), *(b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded)]
    wire.sendall(b"".join(lines))
