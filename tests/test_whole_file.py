from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from tmdb_scrapy.whole_file import whole_file


def test_the_earlier_file_is_there_until_all_of_the_new_one_is_written(tmp_path: Path) -> None:
    place = tmp_path / "report.html"
    place.write_bytes(b"earlier")
    with whole_file(place) as file:
        file.write(b"new")
        file.flush()
        assert place.read_bytes() == b"earlier"
    assert place.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [place]


def test_after_an_error_the_earlier_file_is_there_and_nothing_else(tmp_path: Path) -> None:
    place = tmp_path / "report.html"
    place.write_bytes(b"earlier")
    with pytest.raises(RuntimeError), whole_file(place) as file:
        file.write(b"half")
        raise RuntimeError
    assert place.read_bytes() == b"earlier"
    assert list(tmp_path.iterdir()) == [place]


def test_a_link_stays_one_and_the_file_it_leads_to_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "large disk").mkdir()
    place, link = tmp_path / "large disk" / "records", tmp_path / "records"
    link.symlink_to(place)
    for content in (b"first", b"second"):
        with whole_file(link) as file:
            file.write(content)
        assert link.is_symlink()
        assert place.read_bytes() == content


def test_what_is_left_of_one_that_was_killed_is_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / f"records.{os.getpid()}.partial").write_bytes(b"half")
    with whole_file(tmp_path / "records") as file:
        file.write(b"new")
    assert [each.name for each in tmp_path.iterdir()] == ["records"]


def test_a_pipe_is_written_to_and_stays(tmp_path: Path) -> None:
    pipe, read = tmp_path / "pipe", list[bytes]()
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    with whole_file(pipe) as file:
        file.write(b"line\n")
    reader.join()
    assert read == [b"line\n"]
    assert pipe.is_fifo()


def test_a_directory_is_no_place_for_a_file(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError), whole_file(tmp_path):
        pass
