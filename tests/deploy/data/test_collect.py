"""deploy.data.collect and deploy.on_host.data.parts: parts come home once, whole; only what is new travels.

The sender runs as a process of its own, as on a host; the receiver reads its output.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.data import collect
from deploy.data.collect import _alone
from deploy.data.incoming import INCOMING, Claims, Collected, Receiver, _Source, inventory
from deploy.on_host import workspace
from deploy.on_host.data import parts
from deploy.ssh.failures import FleetError, HostFailure
from deploy.ssh.hosts import Host
from tmdb_scrapy.kinds import KINDS

LINES = b"".join(b'{"id": %d, "title": "a film of that number"}\n' % number for number in range(5000))


class Sender:
    """A host's side: a working directory with parts."""

    def __init__(self, directory: Path) -> None:
        self.working_dir = workspace.create(str(directory))
        self.parts = self.working_dir / "data" / "movies" / "parts"
        self.parts.mkdir(parents=True)

    def stream(self, here: Path) -> bytes:
        call = f"parts.send({str(self.working_dir)!r}, 'movies', {inventory(here)!r})"
        sent = subprocess.run(
            [sys.executable, "-c", f"from deploy.on_host.data import parts; {call}"],
            capture_output=True,
            check=True,
        )
        return sent.stdout


@pytest.fixture
def sender(tmp_path: Path) -> Sender:
    return Sender(tmp_path / "there")


@pytest.fixture
def here(tmp_path: Path) -> Path:
    folder = tmp_path / "parts"
    (folder / INCOMING).mkdir(parents=True)
    return folder


def receive(stream: bytes, here: Path, claims: Claims | None = None, host: str = "a") -> Collected:
    def blocks() -> Iterator[bytes]:
        for start in range(0, len(stream), 1000):
            yield stream[start : start + 1000]

    receiver = Receiver(here, Host(host), claims or Claims())
    receiver.take_all(_Source(blocks()))
    return receiver.collected


def test_parts_arrive_and_do_not_travel_twice(sender: Sender, here: Path) -> None:
    (sender.parts / "a-1-00.jsonl").write_bytes(LINES)
    (sender.parts / "a-2-00.jsonl").write_bytes(b"")
    first = receive(sender.stream(here), here)
    assert (first.parts, first.new, first.new_bytes) == (2, 2, len(LINES))
    assert (here / "a-1-00.jsonl").read_bytes() == LINES
    assert list((here / INCOMING).iterdir()) == []
    assert first.wire_bytes < len(LINES) / 3
    again = receive(sender.stream(here), here)
    assert (again.parts, again.new, again.new_bytes) == (2, 0, 0)
    assert again.wire_bytes < 300


def test_a_part_that_grew_is_continued(sender: Sender, here: Path) -> None:
    part = sender.parts / "a-1-00.jsonl"
    part.write_bytes(LINES)
    receive(sender.stream(here), here)
    part.write_bytes(LINES + b'{"id": 7}\n')
    grown = receive(sender.stream(here), here)
    assert (grown.new, grown.new_bytes) == (1, 10)
    assert (here / part.name).read_bytes() == part.read_bytes()


def test_a_part_stays_as_old_as_it_is_there(sender: Sender, here: Path) -> None:
    part = sender.parts / "a-1-00.jsonl"
    for content, written_ns in ((LINES, 1_000_000_000), (LINES + b"{}\n", 2_000_000_000)):
        part.write_bytes(content)
        os.utime(part, ns=(written_ns, written_ns))
        for _ in range(2):
            receive(sender.stream(here), here)
            assert (here / part.name).stat().st_mtime_ns == written_ns


def test_an_index_comes_with_its_part_and_names_no_line_that_did_not(sender: Sender, here: Path) -> None:
    part, index = sender.parts / "a-1-00.jsonl", sender.parts / "a-1-00.index"
    part.write_bytes(LINES)
    index.write_bytes(b"i" * 100)
    stream = sender.stream(here)
    arrived = receive(stream, here)
    assert (arrived.parts, arrived.new) == (1, 1)
    assert (here / index.name).read_bytes() == b"i" * 100
    names = [json.loads(line)["name"] for line in zlib.decompress(stream).split(b"\n") if b'"offset"' in line]
    assert names == [part.name, index.name], "an index must not be there before its part"
    (here / index.name).write_bytes(b"made here")
    receive(sender.stream(here), here)
    assert (here / index.name).read_bytes() == b"i" * 100


def test_an_index_of_a_refused_part_stays_away(sender: Sender, here: Path) -> None:
    (sender.parts / "a-1-00.jsonl").write_bytes(LINES)
    (sender.parts / "a-1-00.index").write_bytes(b"theirs")
    (here / "a-1-00.jsonl").write_bytes(b"something else")
    with pytest.raises(HostFailure, match="is not the beginning of that part"):
        receive(sender.stream(here), here)
    assert not (here / "a-1-00.index").exists()


@pytest.mark.parametrize("kept", [1, 1000, 9000])
def test_an_interrupted_transfer_is_continued(kept: int, sender: Sender, here: Path) -> None:
    part = sender.parts / "a-1-00.jsonl"
    part.write_bytes(LINES)
    stream = sender.stream(here)
    with pytest.raises(HostFailure, match="cut"):
        receive(stream[:kept], here)
    assert not (here / part.name).exists()
    arrived = sum(file.stat().st_size for file in (here / INCOMING).iterdir())
    rest = receive(sender.stream(here), here)
    assert rest.new_bytes == len(LINES) - arrived
    assert (here / part.name).read_bytes() == LINES


def test_an_unfinished_part_of_something_else_is_begun_again(sender: Sender, here: Path) -> None:
    (sender.parts / "a-1-00.jsonl").write_bytes(LINES)
    (here / INCOMING / "a-1-00.jsonl").write_bytes(b"x" * (len(LINES) + 5))
    assert receive(sender.stream(here), here).new_bytes == len(LINES)
    assert (here / "a-1-00.jsonl").read_bytes() == LINES


@pytest.mark.parametrize("mine", [b"something else\n", LINES + b"more\n"])
def test_a_finished_part_is_never_replaced_by_another(mine: bytes, sender: Sender, here: Path) -> None:
    (sender.parts / "a-1-00.jsonl").write_bytes(LINES)
    (here / "a-1-00.jsonl").write_bytes(mine)
    with pytest.raises(HostFailure, match="not the beginning"):
        receive(sender.stream(here), here)
    assert (here / "a-1-00.jsonl").read_bytes() == mine


def test_two_hosts_cannot_offer_the_same_part(sender: Sender, here: Path) -> None:
    (sender.parts / "a-1-00.jsonl").write_bytes(LINES)
    claims, stream = Claims(), sender.stream(here)
    receive(stream, here, claims, "a")
    with pytest.raises(HostFailure, match="came from a already"):
        receive(stream, here, claims, "b")


@pytest.mark.parametrize("name", ["../evil.jsonl", ".hidden.jsonl", "a/b.jsonl", "part.sh"])
def test_a_host_cannot_write_elsewhere(name: str, here: Path) -> None:

    header = json.dumps({"name": name, "offset": 0, "size": 1, "disagrees": False}).encode()
    with pytest.raises(HostFailure, match="it offers a part called"):
        receive(zlib.compress(header + b"\nx" + b"0" * 64 + b"\n\n"), here)


def test_a_part_that_arrives_damaged_is_not_kept(here: Path) -> None:

    header = json.dumps({"name": "a-1-00.jsonl", "offset": 0, "size": 2, "disagrees": False}).encode()
    with pytest.raises(HostFailure, match="damaged"):
        receive(zlib.compress(header + b"\n{}" + b"0" * 64 + b"\n\n"), here)
    assert inventory(here) == {}


def test_parts_that_cannot_be_taken_do_not_keep_the_others_away(sender: Sender, here: Path) -> None:
    for name in ("a-1-00.jsonl", "a-2-00.jsonl", "a-3-00.jsonl"):
        (sender.parts / name).write_bytes(LINES + name.encode() + b"\n")
    (here / "a-2-00.jsonl").write_bytes(b"something else\n")
    claims = Claims()
    claims.claim("a-1-00.jsonl", Host("b"))
    with pytest.raises(HostFailure, match=r"a-1-00.jsonl came from b already.*; .*a-2.* not the beginning"):
        receive(sender.stream(here), here, claims)
    assert (here / "a-3-00.jsonl").read_bytes() == LINES + b"a-3-00.jsonl\n"
    assert not (here / "a-1-00.jsonl").exists()


def test_a_part_that_cannot_be_read_there_does_not_keep_the_others(sender: Sender, here: Path) -> None:
    (sender.parts / "a-1-00.jsonl").mkdir()
    (sender.parts / "a-2-00.jsonl").write_bytes(LINES)
    with pytest.raises(HostFailure, match=r"^a-1-00\.jsonl is unreadable: .*directory"):
        receive(sender.stream(here), here)
    assert (here / "a-2-00.jsonl").read_bytes() == LINES
    assert inventory(here).keys() == {"a-2-00.jsonl"}


def test_a_part_that_becomes_unreadable_underway_keeps_the_promised_length(sender: Sender) -> None:
    part = sender.parts / "a-1-00.jsonl"
    part.write_bytes(LINES)
    sheet = parts._sheet(part, None, None)
    assert json.loads(next(sheet))["size"] == len(LINES)
    part.write_bytes(LINES[:100])
    *blocks, ending = sheet
    assert len(b"".join(blocks)) == len(LINES)
    assert ending.startswith(b"unreadable: ")


def test_what_lies_on_the_disk_is_verified(
    sender: Sender, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (sender.parts / "a-1-00.jsonl").write_bytes(LINES)
    stream = sender.stream(here)
    received = Receiver._receive

    def spoilt(*arguments: Any) -> Path:
        incoming = received(*arguments)
        incoming.write_bytes(b"?" + incoming.read_bytes()[1:])
        return incoming

    monkeypatch.setattr(Receiver, "_receive", spoilt)
    with pytest.raises(HostFailure, match="damaged"):
        receive(stream, here)
    assert inventory(here) == {}


def test_a_second_collect_is_refused_while_one_is_at_work(here: Path) -> None:
    with _alone(here), pytest.raises(FleetError, match="another collect"), _alone(here):
        pass
    with _alone(here):
        pass


class TestWhatACollectionProves:
    """What the ledger calls kept before it must be in the parts that it brings: if all hosts give theirs."""

    @pytest.fixture
    def said(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """In which order the ledger and the hosts were read; `b` does not answer."""
        order: list[str] = []

        def ledger(*_: object) -> bytes:
            order.append("ledger")
            return b"\0k"

        def receive(receiver: Receiver, *_: object) -> Collected:
            order.append(str(receiver.host))
            if str(receiver.host) == "b":
                raise TimeoutError
            return Collected(home="own")

        monkeypatch.setattr(collect, "_ledger", ledger)
        monkeypatch.setattr(Receiver, "receive", receive)
        return order

    def collect(self, fleet_here: Any, tmp_path: Path, listed: str, **options: str) -> bytes:
        """What is remembered afterwards."""
        fleet = fleet_here({name: tmp_path / name for name in "abc"}, listed, **options)
        for name in "abc":
            workspace.create(str(tmp_path / name))
        object.__setattr__(fleet.config, "data_dir", tmp_path / "data")
        collect.collect_parts(fleet, KINDS["movies"])
        return (tmp_path / "data" / "movies" / "collected.ledger").read_bytes()

    def test_the_ledger_is_read_before_any_part(
        self, fleet_here: Any, tmp_path: Path, said: list[str]
    ) -> None:
        assert self.collect(fleet_here, tmp_path, "a c") == b"\0k"
        assert said[0] == "ledger"

    @pytest.mark.parametrize(("listed", "options"), [("a b", {}), ("a c", {"chosen": "a"})])
    def test_without_the_parts_of_all_hosts_it_proves_nothing(
        self, listed: str, options: dict[str, str], fleet_here: Any, tmp_path: Path, said: list[str]
    ) -> None:
        assert self.collect(fleet_here, tmp_path, listed, **options) == b""
        assert self.collect(fleet_here, tmp_path, "a c") == b"\0k"
        assert self.collect(fleet_here, tmp_path, listed, **options) == b"\0k", "what was proved stays so"
