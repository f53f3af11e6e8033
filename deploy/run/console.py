"""`make console HOST=`: a worker's Scrapy telnet console, through SSH; no port is opened anywhere for it."""

from __future__ import annotations

import contextlib
import os
import select
import sys
import termios
import tty
from collections.abc import Iterator
from typing import IO

from paramiko import Channel

from deploy.fleet import Fleet
from deploy.on_host.run import consoles
from deploy.on_host.run.consoles import Console
from deploy.ssh.failures import HostFailure
from deploy.ssh.hosts import Host

TIMEOUT_S = 20.0
LOOPBACK = "127.0.0.1"
USERNAME = "scrapy"
PROMPT = b">>> "
REFUSAL = b"Authentication failed"
END_OF_INPUT = b"\x04"
READ_BYTES = 65536

# RFC 854: IAC introduces a command, WILL to DONT have an option byte after it.
IAC, WILL, WONT, DO, DONT, SB, SE = 255, 251, 252, 253, 254, 250, 240
ANSWERS = {WILL: DO, WONT: DONT, DO: WILL, DONT: WONT}


def find(fleet: Fleet, host: Host) -> list[Console]:
    """The consoles of the workers on `host`, at least one. Raises `HostFailure`."""
    found = fleet.calls(host).call(consoles.find, working_dir=fleet.working_dir)
    if not found:
        raise HostFailure("no worker there has a telnet console", "run make launch, or give it a moment")
    return found


def log_in(fleet: Fleet, host: Host, console: Console) -> _Conversation:
    """A conversation with the console, at its prompt. Raises `HostFailure` when it does not let us in."""
    transport = fleet.connection(host).transport
    channel: Channel = transport.open_channel(
        "direct-tcpip", (LOOPBACK, console["port"]), (LOOPBACK, 0), timeout=TIMEOUT_S
    )
    channel.settimeout(TIMEOUT_S)
    conversation = _Conversation(channel)
    for question, answer in ((b"Username: ", USERNAME), (b"Password: ", console["password"])):
        conversation.receive_until(question)
        channel.sendall(answer.encode() + b"\r\n")
    conversation.receive_until(PROMPT)
    return conversation


def converse(conversation: _Conversation, typed: IO[str] | None = None, shown: IO[str] | None = None) -> None:
    """Connect the user's terminal, or a file of commands, to a console until either side ends."""
    typed, shown = typed or sys.stdin, shown or sys.stdout
    channel = conversation.channel
    listening = [channel, typed]
    shown.write(PROMPT.decode())
    with _raw(typed):
        while True:
            shown.flush()
            ready, _, _ = select.select(listening, [], [])
            if channel in ready:
                text = conversation.receive()
                if text is None:
                    return
                shown.write(text.decode("utf-8", "replace"))
            if typed in ready:
                keys = os.read(typed.fileno(), READ_BYTES)
                if keys:
                    channel.sendall(keys.replace(b"\n", b"\r\n"))
                else:  # the file of commands is at its end
                    channel.sendall(END_OF_INPUT)
                    listening.remove(typed)


class TelnetText:
    """What a telnet server says, without its negotiation, and what to answer to that.

    We agree to everything, as telnet clients do: Twisted's console logs each refusal as an error, and stays
    silent when it changes its mind about an option before we answered.
    """

    def __init__(self) -> None:
        self._command = bytearray()
        self.answers = bytearray()
        """To be sent to the server; whoever sends it clears it."""

    def feed(self, received: bytes) -> bytes:
        """The text in `received`; a command cut in two is remembered."""
        text = bytearray()
        for byte in received:
            if not self._command and byte != IAC:
                text.append(byte)
                continue
            self._command.append(byte)
            if self._is_complete():
                text += self._obey()
                self._command.clear()
        return bytes(text)

    def _obey(self) -> bytes:
        verb = self._command[1]
        if verb == IAC:
            return bytes([IAC])
        if verb in ANSWERS:
            self.answers += bytes([IAC, ANSWERS[verb], self._command[2]])
        return b""

    def _is_complete(self) -> bool:
        command = self._command
        if len(command) < 2:
            return False
        if command[1] == SB:
            return command[-2:] == bytes([IAC, SE])
        return len(command) == (3 if command[1] in ANSWERS else 2)


class _Conversation:
    """A channel to a console, as text."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self._text = TelnetText()

    def receive(self) -> bytes | None:
        """What came; None when the console hung up."""
        received = self.channel.recv(READ_BYTES)
        text = self._text.feed(received)
        if self._text.answers:
            self.channel.sendall(bytes(self._text.answers))
            self._text.answers.clear()
        return text if received else None

    def receive_until(self, awaited: bytes) -> None:
        """Raises `HostFailure` when that never comes."""
        said = b""
        while awaited not in said:
            text = self.receive()
            said += text or b""
            if text is None or REFUSAL in said:
                raise HostFailure(f"the console did not let us in: {said.decode('ascii', 'replace').strip()}")


@contextlib.contextmanager
def _raw(terminal: IO[str]) -> Iterator[None]:
    """Keys go to the console one by one, which edits lines and completes names itself."""
    if not terminal.isatty():
        yield
        return
    before = termios.tcgetattr(terminal)
    tty.setraw(terminal)
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
