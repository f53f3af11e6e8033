"""Downloading the daily export, over real HTTP from a server that misbehaves as told."""

from __future__ import annotations

import datetime
import gzip
import http.server
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.network import Proxies
from tmdb_scrapy.sources import days, download
from tmdb_scrapy.sources.export import ExportError

MOVIES = KINDS["movies"]
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
    server: ExportServer, directory: Path, days_back: int = days.DAYS_BACK, kind: str = "movies"
) -> Path:
    return download.fetch_newest(
        KINDS[kind], server.url, directory, DAY, days_back, lambda done, total: None, Proxies()
    )


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
        download.fetch_newest(
            MOVIES, server.url, tmp_path, DAY, 0, lambda done, total: reports.append((done, total)), Proxies()
        )
        assert reports[-1] == (len(WHOLE), len(WHOLE))

    @pytest.mark.parametrize("status", [403, 404])
    @pytest.mark.parametrize("age", [1, 7])
    def test_a_day_that_is_not_published_falls_back(
        self, server: ExportServer, tmp_path: Path, status: int, age: int
    ) -> None:
        names = [days.file_name(MOVIES, DAY - datetime.timedelta(days=n)) for n in range(age + 1)]
        for name in names[:-1]:
            server.publish(name, status)
        server.publish(names[-1], WHOLE)
        assert fetch(server, tmp_path).name == names[-1]
        assert server.asked == names
        assert left_in(tmp_path) == [names[-1]]

    def test_not_further_back_than_a_week(self, server: ExportServer, tmp_path: Path) -> None:
        server.publish(days.file_name(MOVIES, DAY - datetime.timedelta(days=8)), WHOLE)
        with pytest.raises(ExportError, match=r"movie_ids_03_15_2026.*movie_ids_03_08_2026.*--date"):
            fetch(server, tmp_path)
        assert len(server.asked) == 8
        assert left_in(tmp_path) == []

    def test_a_day_that_was_asked_for_does_not_fall_back(self, server: ExportServer, tmp_path: Path) -> None:
        server.publish(days.file_name(MOVIES, DAY - datetime.timedelta(days=1)), WHOLE)
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

    @pytest.mark.parametrize("damaged", [WHOLE[:-9], WHOLE[:20]], ids=["tail cut", "head only"])
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

    @pytest.mark.parametrize(
        "newest", [500, 503, 429, b"", b"<html>an error</html>", gzip.compress(b"", mtime=0)], ids=str
    )
    def test_a_day_that_cannot_be_used_falls_back_to_the_day_before(
        self, server: ExportServer, tmp_path: Path, newest: int | bytes
    ) -> None:
        before = days.file_name(MOVIES, DAY - datetime.timedelta(days=1))
        server.publish(NAME, newest)
        server.publish(before, WHOLE)
        assert fetch(server, tmp_path).name == before
        assert left_in(tmp_path) == [before]

    @pytest.mark.parametrize(("only", "told"), [(500, "HTTP 500"), (b"", "empty"), (b"<html>", "error page")])
    def test_why_no_day_can_be_used_is_told(
        self, server: ExportServer, tmp_path: Path, only: int | bytes, told: str
    ) -> None:
        server.publish(NAME, only)
        with pytest.raises(ExportError, match=f"{told}.*nothing was seeded"):
            fetch(server, tmp_path, days_back=0)
        assert left_in(tmp_path) == []

    def test_without_a_network_it_says_so_and_leaves_nothing(self, tmp_path: Path, closed_port: int) -> None:
        url = f"http://127.0.0.1:{closed_port}"
        with pytest.raises(ExportError, match=r"cannot be downloaded: .*refused.*nothing was seeded"):
            download.fetch_newest(MOVIES, url, tmp_path, DAY, 7, lambda done, total: None, Proxies())
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
                download.fetch_newest(MOVIES, url, tmp_path, DAY, 7, lambda done, total: None, Proxies())
            thread.join()

    @pytest.mark.parametrize("zone", ["FAR-14", "FAR+12"])
    def test_yesterday_is_in_utc_wherever_one_lives(self, zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """At any hour, in one of these zones it is another day than in UTC."""
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        try:
            before, yesterday, after = (_today_in_utc(), days.yesterday(), _today_in_utc())
        finally:
            monkeypatch.undo()
            time.tzset()
        assert yesterday + datetime.timedelta(days=1) in {before, after}


def _today_in_utc() -> datetime.date:
    return datetime.datetime.now(datetime.UTC).date()


def test_one_export_of_a_kind_stays_and_nothing_that_was_never_finished(tmp_path: Path) -> None:
    day_before, export = "movie_ids_03_14_2026.json.gz", tmp_path / NAME
    of_others = [
        "person_ids_03_14_2026.json.gz",
        "movies.seeds.jsonl",
        "movie_ids_03_16_2026.json.gz.7.partial",
    ]
    for name in (NAME, day_before, "movie_ids_03_15_2026.json.gz.8.partial", *of_others):
        (tmp_path / name).touch()
    begun = time.time() - 25 * 3600
    os.utime(tmp_path / "movie_ids_03_15_2026.json.gz.8.partial", (begun, begun))
    days.keep_only(export, MOVIES)
    assert {path.name for path in tmp_path.iterdir()} == {NAME, *of_others}
