"""deploy.data.prune: from which hosts merged parts are removed. By which size: deploy.on_host.data.parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from deploy.data.prune import remove_from_hosts, sizes_of
from deploy.on_host import workspace
from tmdb_scrapy.kinds import KINDS

NAME = "a-1-00.jsonl"


def part_on(host: Path, line: bytes) -> Path:
    part = workspace.create(str(host)) / "data" / "movies" / "parts" / NAME
    part.parent.mkdir(parents=True)
    part.write_bytes(line)
    return part


def test_a_host_of_which_not_all_came_keeps_its_part_of_that_name_and_size(
    fleet_here: Any, tmp_path: Path
) -> None:
    merged, others = part_on(tmp_path / "a", b'{"id":1}\n'), part_on(tmp_path / "b", b'{"id":2}\n')
    fleet = fleet_here({name: tmp_path / name for name in "ab"}, "a b")
    (a,) = (host for host in fleet.hosts if str(host) == "a")
    removed = remove_from_hosts(fleet, KINDS["movies"], sizes_of(merged.parent), whole=[a])
    assert removed == {a: 1}
    assert not merged.exists()
    assert others.read_bytes() == b'{"id":2}\n'
