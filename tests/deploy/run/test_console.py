"""deploy.run.console: telnet's negotiation is answered and never shown."""

from __future__ import annotations

import pytest

from deploy.run.console import TelnetText

IAC, WILL, WONT, DO, DONT, SB, SE = 255, 251, 252, 253, 254, 250, 240


@pytest.mark.parametrize(
    ("received", "text", "answers"),
    [
        (b"plain", b"plain", b""),
        (bytes([IAC, WILL, 1]) + b"x", b"x", bytes([IAC, DO, 1])),
        (bytes([IAC, DO, 31]), b"", bytes([IAC, WILL, 31])),
        (bytes([IAC, WONT, 1, IAC, DONT, 3]), b"", bytes([IAC, DONT, 1, IAC, WONT, 3])),
        (b"a" + bytes([IAC, IAC]) + b"b", b"a\xffb", b""),
        (b"a" + bytes([IAC, SB, 34, 1, 2, IAC, SE]) + b"b", b"ab", b""),
        (bytes([IAC, 249]) + b"b", b"b", b""),
    ],
)
def test_commands_are_taken_out_wherever_they_are_cut(received: bytes, text: bytes, answers: bytes) -> None:
    for cut in range(len(received) + 1):
        telnet = TelnetText()
        assert telnet.feed(received[:cut]) + telnet.feed(received[cut:]) == text
        assert telnet.answers == answers
