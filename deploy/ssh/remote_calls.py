"""Call a function of `deploy.on_host` on a host as if it were here.

The sources and the arguments travel through SSH's standard input. The command line is always the same, so
`ps` on the host shows no value of ours, and no shell ever reads one.
"""

from __future__ import annotations

import contextlib
import importlib.resources
import json
import secrets
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib.resources.abc import Traversable
from typing import ParamSpec, TypeVar

from fabric import Connection
from paramiko import Channel

from deploy.ssh.deadline import deadline
from deploy.ssh.failures import HostFailure

PACKAGE = "deploy.on_host"
COMMAND = "python3 -I -c 'import sys;exec(sys.stdin.buffer.read(int(sys.stdin.buffer.readline())))'"
SILENCE_TIMEOUT_S = 120.0
"""How long a host may neither take nor give a byte before it counts as gone."""

READ_BYTES = 1 << 18

P = ParamSpec("P")
R = TypeVar("R")


class RemoteCalls:
    """A host's side of the conversation.

    `payload` goes to the function's standard input; `silence_timeout_s` bounds how long it may be silent.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def call(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """`function(**kwargs)` on the host. Raises `HostFailure`."""
        return self.with_payload((), SILENCE_TIMEOUT_S, function, *args, **kwargs)

    def with_payload(
        self,
        payload: Iterable[bytes],
        silence_timeout_s: float,
        function: Callable[P, R],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> R:
        """The same, with bytes for its standard input and patience of its own."""
        mark = _new_mark()
        channel = self._start(function, kwargs, mark, silence_timeout_s)
        with contextlib.closing(channel):
            _send(channel, payload)
            channel.shutdown_write()
            said = b"".join(iter(lambda: channel.recv(READ_BYTES), b""))
            _raise_failure(channel, mark)
        result: R = json.loads(said.rpartition(mark)[2])
        return result

    @contextlib.contextmanager
    def stream(
        self, silence_timeout_s: float, function: Callable[P, None], /, *args: P.args, **kwargs: P.kwargs
    ) -> Iterator[Iterator[bytes]]:
        """The blocks of bytes that `function` writes to its standard output, as they come. Standard input
        stays open: closing the channel is how the function learns that nobody listens any more."""
        mark = _new_mark()
        channel = self._start(function, kwargs, mark, silence_timeout_s)
        with contextlib.closing(channel):
            yield self._blocks_after(channel, mark)

    def _blocks_after(self, channel: Channel, mark: bytes) -> Iterator[bytes]:
        before = b""
        while mark not in before:
            block = channel.recv(READ_BYTES)
            if not block:
                break
            before += block
        yield before.partition(mark)[2]
        yield from iter(lambda: channel.recv(READ_BYTES), b"")
        _raise_failure(channel, mark)

    def _start(
        self, function: Callable[..., object], arguments: dict[str, object], mark: bytes, timeout_s: float
    ) -> Channel:
        program = _program(function, arguments, mark)
        self.connection.open()
        channel: Channel = self.connection.create_session()
        channel.settimeout(timeout_s)
        with deadline(self.connection.transport, SILENCE_TIMEOUT_S):
            channel.exec_command(COMMAND)
        _send(channel, [b"%d\n" % len(program) + program])
        return channel


def _send(channel: Channel, blocks: Iterable[bytes]) -> None:
    """Send as long as the host listens. When it stopped, its standard error and status tell why."""
    for block in blocks:
        try:
            channel.sendall(block)
        except TimeoutError:
            raise
        except OSError:
            return


def _program(function: Callable[..., object], arguments: dict[str, object], mark: bytes) -> bytes:
    call = (sources(), function.__module__, function.__name__, arguments, mark.decode())
    text = sources()[f"{PACKAGE}.bootstrap"] + "\nrun(" + ", ".join(repr(value) for value in call) + ")\n"
    return text.encode()


@cache
def sources() -> dict[str, str]:
    """Full name → source text of all modules that run on hosts."""
    return {"deploy": "", **_modules(importlib.resources.files(PACKAGE), PACKAGE)}


def _modules(folder: Traversable, package: str) -> dict[str, str]:
    found = {package: ""}
    for file in folder.iterdir():
        name, _, suffix = file.name.rpartition(".")
        if file.is_dir() and (file / "__init__.py").is_file():
            found.update(_modules(file, f"{package}.{file.name}"))
        elif suffix == "py" and name != "__init__":
            found[f"{package}.{name}"] = file.read_text(encoding="utf-8")
    return found


def _new_mark() -> bytes:
    return f"\n--{secrets.token_hex(16)}\n".encode()


def _raise_failure(channel: Channel, mark: bytes) -> None:
    """Nothing when the function returned; what it raised, or why it never ran, as `HostFailure`."""
    complaints = b"".join(iter(lambda: channel.recv_stderr(READ_BYTES), b""))
    with deadline(channel.get_transport(), SILENCE_TIMEOUT_S):
        status = channel.recv_exit_status()
    if status == 0:
        return
    own, _, failure = complaints.partition(mark)
    if failure:
        told = json.loads(failure)
        raise HostFailure(told["reason"], told["advice"])
    text = own.decode("utf-8", "replace").strip()
    if status in (126, 127):
        raise HostFailure(
            f"python3 does not run there: {text}", "install it, for example: apt install python3 python3-venv"
        )
    if "SyntaxError" in text or "annotations" in text:
        raise HostFailure("its python3 is older than 3.8", "install Python 3.11 or later there")
    if status < 0:
        raise HostFailure("the connection was cut", "the host may have gone down; run the same command again")
    raise HostFailure(
        f"python3 ended with status {status}: {text[-300:]}", "try python3 on that host by hand"
    )
