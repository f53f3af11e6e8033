"""Reading an export: which IDs it has, whatever is odd in its lines."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.sources.export import ExportError, read_export

MOVIES = KINDS["movies"]


def write(tmp_path: Path, text: str | bytes, name: str = "movies.json") -> Path:
    content = text.encode() if isinstance(text, str) else text
    path = tmp_path / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return path


def lines(*rows: tuple[int, float, bool]) -> bytes:
    return "".join(
        json.dumps({"adult": False, "id": i, "original_title": "x", "popularity": p, "video": v}) + "\n"
        for i, p, v in rows
    ).encode()


def many(count: int = 2_000) -> bytes:
    return lines(*((n, 1.0, False) for n in range(1, count + 1)))


def ids(path: Path) -> list[int]:
    return [line.id for line in read_export(path, MOVIES).lines]


MALFORMED = [
    b"not JSON\n",
    b"[]\n",
    b"{}\n",
    b'{"id":"7"}\n',
    b'{"id":null,"popularity":1}\n',
    b'{"id":true}\n',
    b'{"id":7.5}\n',
    b'{"id":0}\n',
    b'{"id":-7}\n',
    b'{"id":268435456}\n',
    b'{"id":99999999999999999999999}\n',
    b'{"id":7,"popu\n',
    b"\xff\xfe\n",
]


class TestOddLines:
    @pytest.mark.parametrize("malformed", MALFORMED)
    def test_a_line_without_an_id_is_lost_and_the_others_are_taken(
        self, tmp_path: Path, malformed: bytes
    ) -> None:
        export = read_export(write(tmp_path, lines((9_000, 1.0, False)) + malformed + many()), MOVIES)
        assert [line.id for line in export.lines] == [9_000, *range(1, 2_001)]
        assert (export.total, export.lost, export.first_lost) == (2_002, 1, 2)

    def test_a_torn_last_line_is_lost_like_any_other(self, tmp_path: Path) -> None:
        export = read_export(write(tmp_path, many() + b'{"adult":false,"id":77'), MOVIES)
        assert (len(export.lines), export.lost, export.first_lost) == (2_000, 1, 2_001)

    @pytest.mark.parametrize(
        "odd",
        [
            b'{"id":7.0,"popularity":1}\n',
            b'{"id":7,"popularity":"high"}\n',
            b'{"id":7,"video":3}\n',
            b'{"id":7,"popularity":null,"video":null}\n',
            b'{"id":7,"popularity":-2.5}\n',
            b'{"id":7,"original_title":"\\ud800"}\n',
            b'{"id":7,"original_title":"\xff"}\n',
            b'\xef\xbb\xbf{"id":7}\n',
            b'{"id":7}\r\n',
            b'\n\r\n{"id":7}\n\n',
            b'{"id":7}',
            b'{"id":268435455,"id":7}\n',
        ],
    )
    def test_an_id_that_can_be_read_is_taken(self, tmp_path: Path, odd: bytes) -> None:
        assert ids(write(tmp_path, odd)) == [7]

    def test_a_null_is_neither_popular_nor_a_video(self, tmp_path: Path) -> None:
        (line,) = read_export(write(tmp_path, '{"id":1,"popularity":null,"video":null}\n'), MOVIES).lines
        assert (line.popularity, line.video) == (0.0, False)

    def test_the_largest_id(self, tmp_path: Path) -> None:
        assert ids(write(tmp_path, '{"id":268435455}\n')) == [268_435_455]

    @pytest.mark.parametrize(("lost", "refused"), [(2, False), (3, True)])
    def test_more_than_one_lost_line_in_a_thousand_refuses_the_export(
        self, tmp_path: Path, lost: int, refused: bool
    ) -> None:
        path = write(tmp_path, many(2_000) + b"x\n" * lost)
        if refused:
            with pytest.raises(ExportError, match=r"3 of 2,003 lines \(the first is line 2001\)"):
                read_export(path, MOVIES)
        else:
            assert read_export(path, MOVIES).lost == 2

    def test_a_pretty_printed_array_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ExportError, match="no lines of an export"):
            read_export(write(tmp_path, json.dumps([{"id": n} for n in range(12)], indent=1)), MOVIES)


class TestFiles:
    @pytest.mark.parametrize("name", ["movies.json", "movies.json.gz"])
    def test_gzipped_or_not(self, tmp_path: Path, name: str) -> None:
        assert ids(write(tmp_path, many(3), name)) == [1, 2, 3]

    def test_what_it_is_tells_its_content_not_its_name(self, tmp_path: Path) -> None:
        write(tmp_path, many(3), "a.json.gz").rename(tmp_path / "a.json")
        write(tmp_path, many(4), "b.json").rename(tmp_path / "b.json.gz")
        assert (ids(tmp_path / "a.json"), ids(tmp_path / "b.json.gz")) == ([1, 2, 3], [1, 2, 3, 4])

    def test_a_truncated_file_gives_nothing(self, tmp_path: Path) -> None:
        path = tmp_path / "cut.json.gz"
        path.write_bytes(gzip.compress(many())[:-5])
        with pytest.raises(ExportError, match=r"cut\.json\.gz cannot be read to its end"):
            read_export(path, MOVIES)

    def test_no_file(self, tmp_path: Path) -> None:
        with pytest.raises(ExportError, match="nothing was seeded"):
            read_export(tmp_path / "none.json", MOVIES)

    @pytest.mark.parametrize("other", [name for name in KINDS if name != MOVIES.name])
    def test_another_kinds_export_is_refused_by_its_name(self, tmp_path: Path, other: str) -> None:
        kind = KINDS[other]
        path = write(tmp_path, many(3), f"{kind.export}_03_15_2026.json.gz")
        with pytest.raises(ExportError, match=f"is an export of {kind.name}.*nothing was seeded"):
            read_export(path, MOVIES)

    @pytest.mark.parametrize(
        ("line", "kind"),
        [
            ('{"adult":false,"id":1,"name":"x","popularity":1}', "movies"),
            ('{"id":1,"original_name":"x","popularity":1}', "movies"),
            ('{"adult":false,"id":1,"original_title":"x","popularity":1}', "people"),
            ('{"id":1,"name":"x"}', "tv"),
        ],
    )
    def test_another_kinds_export_is_refused_by_its_lines(self, tmp_path: Path, line: str, kind: str) -> None:
        with pytest.raises(ExportError, match=f"is no export of {kind}"):
            read_export(write(tmp_path, line + "\n", "ids.json"), KINDS[kind])
