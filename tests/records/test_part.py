"""A worker's part: its lines are on disk before Redis hears of their IDs, and a refusal is not forgotten."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from crawlers import crawler_of
from scrapy.http import TextResponse

from tmdb_scrapy import settings as page
from tmdb_scrapy.extensions.settlement import SettlementExtension
from tmdb_scrapy.kinds import KINDS, Deciding
from tmdb_scrapy.pipelines.part_writer import PartWriterPipeline
from tmdb_scrapy.queue import IdQueue, Lease, Settlement, Traffic
from tmdb_scrapy.queue.feed import Claim
from tmdb_scrapy.records.columns import trusted
from tmdb_scrapy.records.index import index_of
from tmdb_scrapy.records.part import Part
from tmdb_scrapy.records.record import Record
from tmdb_scrapy.spiders.of_kinds import SPIDERS

SETTINGS = {name: getattr(page, name) for name in dir(page) if name.isupper()} | {"ASYNCIO_EVENT_LOOP": None}
IDS = [1, 2, 3]


class Worker:
    """Spider, pipeline and extension of a worker whose engine does not run; its queue is on a real Redis."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        crawler = crawler_of(SPIDERS["movies"])
        self.spider: Any = crawler.spider
        self.writer = PartWriterPipeline.from_crawler(crawler)
        self.settlement = SettlementExtension.from_crawler(crawler)

    async def keep(self, ids: Iterable[int]) -> None:
        """Lease each ID and let its record come out of the pipelines."""
        queue = self.spider.worker.queue
        await queue.seed(list(ids))
        for lease in await queue.lease(self.spider.worker.name, len(list(ids))):
            request = self.spider.request_for(Claim(lease))
            item = Record(KINDS["movies"], lease.id, _body(lease), Deciding())
            self.writer.process_item(item)
            self.settlement.kept(item, response=TextResponse(request.url, request=request))

    def lines_on_disk(self) -> list[bytes]:
        assert self.spider.worker.part is not None
        return self.spider.worker.part.path.read_bytes().splitlines()

    def lines_in_index(self) -> int:
        return len(indexed(self.spider.worker.part.path))


def indexed(part: Path) -> list[int]:
    """The IDs in the index of a part."""
    return [tmdb_id for entries in trusted(index_of(part)) for tmdb_id in entries["id"].tolist()]


def _body(lease: Lease) -> bytes:
    return b'{"id":%d}' % lease.id


@pytest.fixture
def worker(as_user: pytest.MonkeyPatch) -> Worker:
    return Worker(as_user)


def told(worker: Worker, story: Callable[[], Any]) -> Any:
    """What an async function answers while the settlement is open; afterwards everything is closed."""

    async def main() -> Any:
        worker.settlement.opened()
        try:
            return await story()
        finally:
            await worker.settlement.closed("finished")
            with contextlib.suppress(OSError):
                worker.writer.close_spider()

    return asyncio.run(main())


def test_lines_are_synced_before_their_index_and_both_before_the_settlement_of_their_ids_is_sent(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened: list[tuple[str, list[bytes], int]] = []
    sync, settle = os.fdatasync, IdQueue.settle

    def synced(descriptor: int) -> None:
        sync(descriptor)
        happened.append(("synced", worker.lines_on_disk(), worker.lines_in_index()))

    async def settled(queue: IdQueue, settlements: list[Settlement], traffic: Traffic) -> int:
        lines = [_body(settlement.lease) for settlement in settlements]
        happened.append(("settled", lines, worker.lines_in_index()))
        return await settle(queue, settlements, traffic)

    monkeypatch.setattr(os, "fdatasync", synced)
    monkeypatch.setattr(IdQueue, "settle", settled)

    async def story() -> bytes:
        await worker.keep(IDS)
        await worker.settlement.settle()
        ledger: bytes = await worker.spider.worker.queue.ledger()
        return ledger

    assert told(worker, story) == b"\0kkk"
    lines = [b'{"id":1}', b'{"id":2}', b'{"id":3}']
    assert happened[:3] == [("synced", lines, 0), ("synced", lines, 3), ("settled", lines, 3)]


def test_nothing_is_settled_when_the_disk_refuses_the_sync(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(descriptor: int) -> None:
        raise OSError(errno.EIO, "the disk is broken")

    monkeypatch.setattr(os, "fdatasync", refused)

    async def story() -> bytes:
        await worker.keep(IDS)
        with pytest.raises(OSError, match="the disk is broken"):
            await worker.settlement.settle()
        ledger: bytes = await worker.spider.worker.queue.ledger()
        return ledger

    assert told(worker, story) == b"\0qqq"


def test_a_part_is_never_another_workers(tmp_path: Path) -> None:
    path = tmp_path / "part.jsonl"
    path.write_bytes(b"theirs\n")
    with pytest.raises(FileExistsError):
        Part(path).write(1, b"ours\n")
    assert path.read_bytes() == b"theirs\n"


def test_a_full_disk_is_told_with_the_flush_and_again_when_closing(tmp_path: Path) -> None:
    """/dev/full refuses every byte, as a full disk does."""
    part = Part(tmp_path / "part.jsonl")
    with open("/dev/full", "wb", buffering=1 << 20) as full:  # noqa: PTH123  # no path of the user's
        part._file = full
        part.write(1, b"x\n")
        for operation in (part.flush, part.close):
            with pytest.raises(OSError) as caught:
                operation()
            assert caught.value.errno == errno.ENOSPC
        assert full.closed
    part.close()


def test_a_line_that_is_flushed_during_a_sync_waits_for_the_next_one_to_be_indexed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the first sync did not cover may be lost by a power cut."""
    part = Part(tmp_path / "part.jsonl")
    part.write(1, b"x\n")
    part.flush()
    sync = os.fdatasync
    late = [2]

    def flushing(descriptor: int) -> None:
        sync(descriptor)
        if late:
            part.write(late.pop(), b"y\n")
            part.flush()

    monkeypatch.setattr(os, "fdatasync", flushing)
    part.sync()
    assert indexed(part.path) == [1]
    part.sync()
    assert indexed(part.path) == [1, 2]
    part.close()


def test_a_full_disk_under_the_index_is_told_by_the_sync_and_by_every_later_call(tmp_path: Path) -> None:
    part = Part(tmp_path / "part.jsonl")
    part.write(1, b"x\n")
    part.flush()
    with open("/dev/full", "wb", buffering=0) as full:  # noqa: PTH123  # no path of the user's
        assert part._index is not None
        part._index.close()
        part._index = full
        for operation in (part.sync, part.flush, lambda: part.write(2, b"y\n")):
            with pytest.raises(OSError) as caught:
                operation()
            assert caught.value.errno == errno.ENOSPC
    with pytest.raises(OSError):
        part.close()
    assert indexed(part.path) == []


def test_a_part_that_cannot_be_begun_leaves_no_index_beside_anothers(tmp_path: Path) -> None:
    (tmp_path / "part.jsonl").write_bytes(b"theirs\n")
    with pytest.raises(FileExistsError):
        Part(tmp_path / "part.jsonl").write(1, b"ours\n")
    assert [path.name for path in tmp_path.iterdir()] == ["part.jsonl"]


def test_a_refused_sync_is_told_again_by_every_later_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operating system reports it once; the next sync would seem to succeed."""
    refusals = [OSError(errno.EIO, "the disk is broken")]

    def sync(descriptor: int) -> None:
        if refusals:
            raise refusals.pop()

    monkeypatch.setattr(os, "fdatasync", sync)
    part = Part(tmp_path / "part.jsonl")
    part.write(1, b"x\n")
    for operation in (part.sync, part.sync, part.flush, lambda: part.write(1, b"y\n"), part.close):
        with pytest.raises(OSError, match="the disk is broken"):
            operation()


def test_closing_twice_and_flushing_afterwards_is_fine(tmp_path: Path) -> None:
    part = Part(tmp_path / "part.jsonl")
    part.write(1, b"x\n")
    part.close()
    part.close()
    part.flush()
    part.sync()
    assert part.path.read_bytes() == b"x\n"
