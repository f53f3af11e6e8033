"""The daily export, over real HTTP from a server that misbehaves as told."""

from __future__ import annotations

import datetime
import gzip
import http.server
import itertools
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tmdb_scrapy import exports
from tmdb_scrapy.exports import ExportError, Selection

DAY = datetime.date(2026, 3, 15)
NAME = "movie_ids_03_15_2026.json.gz"
ACCESS_DENIED = b'<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code></Error>'
ROWS = [
    {"adult": False, "id": 603, "original_title": "The Matrix", "popularity": 80.5, "video": False},
    {"adult": False, "id": 11, "original_title": "Star Wars", "popularity": 99.9, "video": False},
    {"adult": False, "id": 9, "original_title": "Sønnen", "popularity": 0.6, "video": True},
]
WHOLE = gzip.compress("".join(json.dumps(row) + "\n" for row in ROWS).encode())

Answers = list[tuple[int, bytes]]


class ExportServer(http.server.ThreadingHTTPServer):
    """Serves each path's answers in turn, the last one for ever; else what S3 says of a missing file."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: dict[str, Answers] = {}
        self.asked: list[str] = []
        self.cut_after: int | None = None
        """Break the connection after so many bytes."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/p/exports"

    def publish(self, name: str, *answers: bytes | int) -> None:
        self.answers[f"/p/exports/{name}"] = [
            (200, answer) if isinstance(answer, bytes) else (answer, ACCESS_DENIED) for answer in answers
        ]


class _Handler(http.server.BaseHTTPRequestHandler):
    server: ExportServer

    def do_GET(self) -> None:
        self.server.asked.append(self.path.rpartition("/")[2])
        answers = self.server.answers.get(self.path, [(403, ACCESS_DENIED)])
        status, body = answers.pop(0) if len(answers) > 1 else answers[0]
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: self.server.cut_after])

    def log_message(self, format: str, *arguments: Any) -> None:
        """Silent."""


@pytest.fixture
def server() -> Iterator[ExportServer]:
    with ExportServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def fetch(
    server: ExportServer, directory: Path, days_back: int = exports.DAYS_BACK, kind: str = "movies"
) -> Path:
    return exports.fetch_newest(kind, server.url, directory, DAY, days_back, lambda done, total: None)


def left_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir()) if directory.exists() else []


class TestFetch:
    def test_the_newest_day(self, server: ExportServer, tmp_path: Path) -> None:
        server.publish(NAME, WHOLE)
        path = fetch(server, tmp_path / "exports")
        assert path == tmp_path / "exports" / NAME
        assert path.read_bytes() == WHOLE
        assert left_in(path.parent) == [NAME]

    def test_people_have_their_own_file(self, server: ExportServer, tmp_path: Path) -> None:
        server.publish("person_ids_03_15_2026.json.gz", WHOLE)
        assert fetch(server, tmp_path, kind="people").name == "person_ids_03_15_2026.json.gz"

    def test_the_download_is_reported(self, server: ExportServer, tmp_path: Path) -> None:
        server.publish(NAME, WHOLE)
        reports: list[tuple[int, int | None]] = []
        exports.fetch_newest(
            "movies", server.url, tmp_path, DAY, 0, lambda done, total: reports.append((done, total))
        )
        assert reports[-1] == (len(WHOLE), len(WHOLE))

    @pytest.mark.parametrize("status", [403, 404])
    @pytest.mark.parametrize("age", [1, 7])
    def test_a_day_that_is_not_published_falls_back(
        self, server: ExportServer, tmp_path: Path, status: int, age: int
    ) -> None:
        names = [exports.file_name("movies", DAY - datetime.timedelta(days=n)) for n in range(age + 1)]
        for name in names[:-1]:
            server.publish(name, status)
        server.publish(names[-1], WHOLE)
        assert fetch(server, tmp_path).name == names[-1]
        assert server.asked == names
        assert left_in(tmp_path) == [names[-1]]

    def test_not_further_back_than_a_week(self, server: ExportServer, tmp_path: Path) -> None:
        server.publish(exports.file_name("movies", DAY - datetime.timedelta(days=8)), WHOLE)
        with pytest.raises(ExportError, match=r"movie_ids_03_15_2026.*movie_ids_03_08_2026.*--date"):
            fetch(server, tmp_path)
        assert len(server.asked) == 8
        assert left_in(tmp_path) == []

    def test_a_day_that_was_asked_for_does_not_fall_back(self, server: ExportServer, tmp_path: Path) -> None:
        server.publish(exports.file_name("movies", DAY - datetime.timedelta(days=1)), WHOLE)
        with pytest.raises(ExportError, match="no export is published"):
            fetch(server, tmp_path, days_back=0)
        assert server.asked == [NAME]

    def test_a_file_that_is_there_and_whole_is_not_fetched_again(
        self, server: ExportServer, tmp_path: Path
    ) -> None:
        (tmp_path / NAME).write_bytes(WHOLE)
        assert fetch(server, tmp_path) == tmp_path / NAME
        assert server.asked == []

    def test_a_damaged_file_that_is_there_is_replaced(self, server: ExportServer, tmp_path: Path) -> None:
        (tmp_path / NAME).write_bytes(WHOLE[:-9])
        server.publish(NAME, WHOLE)
        assert fetch(server, tmp_path).read_bytes() == WHOLE

    @pytest.mark.parametrize(
        "damaged",
        [WHOLE[:-9], WHOLE[:20], b"", WHOLE[:30] + b"\xff\xff" + WHOLE[32:], b"<html>not a gzip</html>"],
        ids=["tail cut", "head only", "empty", "corrupt", "HTML"],
    )
    def test_damaged_once_is_fetched_again(
        self, server: ExportServer, tmp_path: Path, damaged: bytes
    ) -> None:
        server.publish(NAME, damaged, WHOLE)
        assert fetch(server, tmp_path).read_bytes() == WHOLE
        assert server.asked == [NAME, NAME]

    @pytest.mark.parametrize("damaged", [WHOLE[:-9], b""], ids=["tail cut", "empty"])
    def test_damaged_twice_is_an_error_and_the_file_is_gone(
        self, server: ExportServer, tmp_path: Path, damaged: bytes
    ) -> None:
        server.publish(NAME, damaged)
        with pytest.raises(ExportError, match="came damaged twice"):
            fetch(server, tmp_path)
        assert server.asked == [NAME, NAME]
        assert left_in(tmp_path) == []

    def test_a_download_that_breaks_off_is_never_taken_for_whole(
        self, server: ExportServer, tmp_path: Path
    ) -> None:
        """Less came than Content-Length promised: damaged like any other cut file."""
        server.publish(NAME, WHOLE)
        server.cut_after = len(WHOLE) // 2
        with pytest.raises(ExportError):
            fetch(server, tmp_path)
        assert left_in(tmp_path) == []

    @pytest.mark.parametrize("status", [500, 503, 429])
    def test_a_server_in_trouble_is_an_error_at_once(
        self, server: ExportServer, tmp_path: Path, status: int
    ) -> None:
        server.publish(NAME, status)
        with pytest.raises(ExportError, match=f"HTTP {status}"):
            fetch(server, tmp_path)
        assert left_in(tmp_path) == []

    def test_without_a_network_it_says_so_and_leaves_nothing(self, tmp_path: Path, closed_port: int) -> None:
        url = f"http://127.0.0.1:{closed_port}"
        with pytest.raises(ExportError, match=r"cannot be downloaded: .*refused.*nothing was seeded"):
            exports.fetch_newest("movies", url, tmp_path, DAY, 7, lambda done, total: None)
        assert left_in(tmp_path) == []

    def test_something_else_than_http(self, tmp_path: Path) -> None:
        """Such as the port of a Redis in TMDB_EXPORT_URL."""
        with socket.create_server(("127.0.0.1", 0)) as listener:

            def answer() -> None:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(1_000)
                    connection.sendall(b"-ERR unknown command\r\n")

            thread = threading.Thread(target=answer)
            thread.start()
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            with pytest.raises(ExportError, match="cannot be downloaded"):
                exports.fetch_newest("movies", url, tmp_path, DAY, 7, lambda done, total: None)
            thread.join()

    @pytest.mark.parametrize("zone", ["FAR-14", "FAR+12"])
    def test_yesterday_is_in_utc_wherever_one_lives(self, zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """At any hour, in one of these zones it is another day than in UTC."""
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        try:
            before, yesterday, after = (_today_in_utc(), exports.yesterday(), _today_in_utc())
        finally:
            monkeypatch.undo()
            time.tzset()
        assert yesterday + datetime.timedelta(days=1) in {before, after}


def _today_in_utc() -> datetime.date:
    return datetime.datetime.now(datetime.UTC).date()


def write(tmp_path: Path, text: str | bytes, name: str = "movies.json") -> Path:
    content = text.encode() if isinstance(text, str) else text
    path = tmp_path / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return path


def lines(*rows: tuple[int, float, bool]) -> str:
    return "".join(
        json.dumps({"adult": False, "id": i, "original_title": "x", "popularity": p, "video": v}) + "\n"
        for i, p, v in rows
    )


class TestRead:
    ROWS = lines((1, 0.5, False), (2, 30.0, True), (3, 7.25, False), (4, 30.5, False))

    @pytest.mark.parametrize("name", ["movies.json", "movies.json.gz"])
    def test_most_popular_first(self, tmp_path: Path, name: str) -> None:
        read = exports.read(write(tmp_path, self.ROWS, name))
        assert read.ids == [4, 2, 3, 1]
        assert (read.lines, read.malformed) == (4, 0)

    @pytest.mark.parametrize(
        ("options", "ids"),
        [
            ({"limit": 2}, [4, 2]),
            ({"limit": 9}, [4, 2, 3, 1]),
            ({"min_popularity": 7.25}, [4, 2, 3]),
            ({"min_popularity": 7.26}, [4, 2]),
            ({"no_video": True}, [4, 3, 1]),
            ({"no_video": True, "limit": 2}, [4, 3]),
            ({"min_popularity": 99.0}, []),
        ],
    )
    def test_only_the_chosen_ones_are_read(
        self, tmp_path: Path, options: dict[str, Any], ids: list[int]
    ) -> None:
        assert exports.read(write(tmp_path, self.ROWS), **options).ids == ids

    def test_equally_popular_ones_have_a_fixed_order(self, tmp_path: Path) -> None:
        orders = {
            tuple(exports.read(write(tmp_path, lines(*((i, 1.0, False) for i in order)))).ids)
            for order in itertools.permutations([5, 6, 7])
        }
        assert orders == {(5, 6, 7)}

    @pytest.mark.parametrize(
        "malformed",
        [
            b"not JSON\n",
            b"[]\n",
            b"{}\n",
            b'{"id":"7"}\n',
            b'{"id":null,"popularity":1}\n',
            b'{"id":0}\n',
            b'{"id":-7}\n',
            b'{"id":268435456}\n',
            b'{"id":99999999999999999999999}\n',
            b'{"id":7,"popularity":"high"}\n',
            b'{"id":7,"video":3}\n',
            b'{"id":7,"popu\n',
            b"\xff\xfe\n",
        ],
    )
    @pytest.mark.parametrize("limit", [0, 1])
    def test_a_malformed_line_is_counted_and_the_others_taken(
        self, tmp_path: Path, malformed: bytes, limit: int
    ) -> None:
        before, after = lines((1, 1.0, False)).encode(), lines((2, 2.0, False)).encode()
        read = exports.read(write(tmp_path, before + malformed + after), limit=limit)
        assert read.ids == ([2] if limit else [2, 1])
        assert (read.lines, read.malformed, read.first_malformed) == (3, 1, 2)

    def test_blank_lines_and_a_last_line_without_an_end_are_fine(self, tmp_path: Path) -> None:
        read = exports.read(write(tmp_path, "\n" + lines((1, 1.0, False)) + "\r\n\n" + '{"id":2}'))
        assert (read.ids, read.malformed) == ([1, 2], 0)

    def test_a_null_is_neither_popular_nor_a_video(self, tmp_path: Path) -> None:
        nulls = '{"id":1,"popularity":null,"video":null}\n'
        read = exports.read(write(tmp_path, nulls + lines((2, 2.0, True))), no_video=True)
        assert (read.ids, read.malformed) == ([1], 0)

    def test_the_largest_id(self, tmp_path: Path) -> None:
        assert exports.read(write(tmp_path, '{"id":268435455}\n')).ids == [268_435_455]

    def test_an_id_twice_is_taken_once_where_it_is_most_popular(self, tmp_path: Path) -> None:
        read = exports.read(write(tmp_path, lines((1, 1.0, False), (2, 5.0, False), (1, 9.0, False))))
        assert read.ids == [1, 2]

    @pytest.mark.parametrize("limit", [0, 2])
    def test_a_truncated_file_gives_nothing(self, tmp_path: Path, limit: int) -> None:
        path = tmp_path / "cut.json.gz"
        path.write_bytes(WHOLE[:-5])
        with pytest.raises(ExportError, match=r"cut\.json\.gz cannot be read to its end"):
            exports.read(path, limit=limit)

    def test_a_plain_file_that_is_called_gz(self, tmp_path: Path) -> None:
        path = tmp_path / "plain.json.gz"
        path.write_text(self.ROWS)
        with pytest.raises(ExportError):
            exports.read(path)

    def test_no_file(self, tmp_path: Path) -> None:
        with pytest.raises(ExportError, match="nothing was seeded"):
            exports.read(tmp_path / "none.json")

    def test_nobody_is_lost(self, tmp_path: Path) -> None:
        rows = [(n, (n * 7919 % 1000) / 10, n % 3 == 0) for n in range(1, 3_000)]
        assert Counter(exports.read(write(tmp_path, lines(*rows), "all.json.gz")).ids) == Counter(
            n for n, _, _ in rows
        )


class TestSelections:
    def test_none_yet(self, tmp_path: Path) -> None:
        assert exports.recorded_selections(tmp_path, "movies") == []

    def test_each_is_written_down_once(self, tmp_path: Path) -> None:
        first, second = Selection(file="a.json", limit=5), Selection(file="a.json", no_video=True)
        for selection in (first, second, first):
            exports.begin_selection(tmp_path / "exports", "movies", selection)
            exports.record_selection(tmp_path / "exports", "movies", selection)
        assert exports.recorded_selections(tmp_path / "exports", "movies") == [first, second]
        assert exports.recorded_selections(tmp_path / "exports", "people") == []

    def test_what_was_begun_is_known_until_it_is_done(self, tmp_path: Path) -> None:
        selection = Selection(file="a.json", limit=5)
        assert exports.unfinished_selection(tmp_path, "movies") is None
        exports.begin_selection(tmp_path, "movies", selection)
        assert exports.unfinished_selection(tmp_path, "movies") == selection
        assert exports.unfinished_selection(tmp_path, "people") is None
        exports.record_selection(tmp_path, "movies", selection)
        assert exports.unfinished_selection(tmp_path, "movies") is None

    @pytest.mark.parametrize("left", [b"", b'{"file":"a.js'])
    def test_a_note_that_a_crash_has_cut_does_not_stop_the_next_seeding(
        self, tmp_path: Path, left: bytes
    ) -> None:
        (tmp_path / "movies.seeding.json").write_bytes(left)
        assert exports.unfinished_selection(tmp_path, "movies") is None

    def test_a_record_that_a_crash_has_cut_does_not_spoil_the_next(self, tmp_path: Path) -> None:
        first, second = Selection(file="a.json"), Selection(file="b.json")
        exports.record_selection(tmp_path, "movies", first)
        with (tmp_path / "movies.seeds.jsonl").open("ab") as file:
            file.write(b'{"file":"a.js')
        exports.record_selection(tmp_path, "movies", second)
        assert exports.recorded_selections(tmp_path, "movies") == [first, second]

    def test_read_anew_it_gives_the_same_ids(self, tmp_path: Path) -> None:
        path = write(tmp_path, TestRead.ROWS)
        selection = Selection(file=str(path), limit=2, min_popularity=1.0, no_video=True)
        assert exports.read_selection(selection).ids == [4, 3]
