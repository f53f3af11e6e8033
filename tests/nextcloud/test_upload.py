from __future__ import annotations

import asyncio
import os
import tracemalloc
from pathlib import Path

import pytest
from nextcloud_server import NextcloudServer
from uploading import ATTEMPTS, CONTENT, OTHER, PAUSES_S, SHORT_BODY, refused, send

from tmdb_scrapy.network import Proxies
from tmdb_scrapy.nextcloud import (
    LocalFile,
    Receipt,
    ShareLink,
    UploadError,
    Verification,
    chunks,
    open_share,
    upload,
)
from tmdb_scrapy.nextcloud.responses import RemoteFile
from tmdb_scrapy.nextcloud.upload import difference, is_copy


class TestReadableShare:
    def test_a_file_arrives_whole_and_its_size_is_verified(
        self, either: NextcloudServer, movies: Path
    ) -> None:
        receipt = send(either, movies)
        assert receipt == Receipt("movies.jsonl", len(CONTENT), Verification.SIZE)
        assert either.files() == {"movies.jsonl": CONTENT}

    def test_the_right_password_opens_the_share(self, either: NextcloudServer, movies: Path) -> None:
        either.rules.password = "pä:ss wörd"
        send(either, movies, password="pä:ss wörd")
        assert either.files() == {"movies.jsonl": CONTENT}

    @pytest.mark.parametrize("password", ["", "wrong"])
    def test_a_wrong_password_is_tried_once(
        self, either: NextcloudServer, movies: Path, password: str
    ) -> None:
        either.rules.password = "right"
        assert "NEXTCLOUD_PASSWORD" in refused(either, movies, password=password)
        assert either.unauthorized == 1
        assert either.count("PUT") == 0

    def test_the_current_endpoint_is_preferred(self, server: NextcloudServer, movies: Path) -> None:
        send(server, movies)
        assert not any("webdav" in request for request in server.requests)

    def test_a_checksum_of_the_server_is_compared(self, server: NextcloudServer, movies: Path) -> None:
        server.rules.hashes_on_request = True
        assert send(server, movies).verification is Verification.CHECKSUM

    def test_an_empty_file_is_uploaded(self, either: NextcloudServer, tmp_path: Path) -> None:
        (tmp_path / "empty").touch()
        assert send(either, tmp_path / "empty", name="empty").size == 0
        assert either.files() == {"empty": b""}

    @pytest.mark.parametrize("name", ["a b.jsonl", "ä#1?.jsonl", "100%.jsonl", "x;y&z+.jsonl"])
    def test_any_name_is_kept(self, either: NextcloudServer, movies: Path, name: str) -> None:
        send(either, movies, name=name)
        assert either.files() == {name: CONTENT}

    @pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\\b", "a\nb", "x" * 251])
    def test_impossible_names_are_refused(self, server: NextcloudServer, movies: Path, name: str) -> None:
        assert "--name" in refused(server, movies, name=name)
        assert server.count("PUT") == 0

    def test_progress_is_told_block_by_block_and_ends_at_the_size(
        self, server: NextcloudServer, movies: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(chunks, "BLOCK_BYTES", 10_000)
        sizes: list[int] = []
        send(server, movies, sizes=sizes)
        assert sizes == [*range(0, len(CONTENT), 10_000), len(CONTENT)]

    def test_memory_does_not_grow_with_the_file(self, server: NextcloudServer, tmp_path: Path) -> None:
        large = tmp_path / "large"
        with large.open("wb") as file:
            file.truncate(40 << 20)
        peak = asyncio.run(self._peak(server, large))
        assert peak < 8 << 20
        assert (server.folder / "large").stat().st_size == 40 << 20

    async def _peak(self, server: NextcloudServer, path: Path) -> int:
        async with open_share(ShareLink.parse(server.link), "", Proxies(), PAUSES_S) as share:
            with LocalFile(path) as file:
                tracemalloc.start()
                try:
                    await upload(share, file, path.name, replace=False, on_sent=lambda sent: None)
                    return tracemalloc.get_traced_memory()[1]
                finally:
                    tracemalloc.stop()


class TestExistingFile:
    def test_the_same_size_is_already_there(self, either: NextcloudServer, movies: Path) -> None:
        (either.folder / "movies.jsonl").write_bytes(CONTENT)
        assert send(either, movies).verification is Verification.ALREADY_THERE
        assert either.count("PUT") == 0

    def test_a_different_size_is_refused(self, either: NextcloudServer, movies: Path) -> None:
        (either.folder / "movies.jsonl").write_bytes(OTHER)
        message = refused(either, movies)
        assert "--replace" in message
        assert "--name" in message
        assert either.files() == {"movies.jsonl": OTHER}

    def test_a_different_checksum_is_refused(
        self, server: NextcloudServer, movies: Path, tmp_path: Path
    ) -> None:
        server.rules.keeps_checksums = True
        send(server, movies)
        assert send(server, movies).verification is Verification.ALREADY_THERE_SAME_CHECKSUM
        movies.write_bytes(CONTENT[::-1])
        assert "another checksum" in refused(server, movies)
        assert server.files() == {"movies.jsonl": CONTENT}

    @pytest.mark.parametrize("size", [0, 1, len(CONTENT) - 1])
    def test_the_beginning_of_the_file_is_completed(
        self, either: NextcloudServer, movies: Path, size: int
    ) -> None:
        (either.folder / "movies.jsonl").write_bytes(CONTENT[:size])
        assert send(either, movies).verification is Verification.SIZE
        assert either.files() == {"movies.jsonl": CONTENT}

    @pytest.mark.parametrize("limit_bytes", [1 << 40, 20_000])
    def test_a_beginning_that_changes_meanwhile_is_not_overwritten(
        self, server: NextcloudServer, movies: Path, limit_bytes: int
    ) -> None:
        (server.folder / "movies.jsonl").write_bytes(CONTENT[:500])
        server.rules.rival = OTHER
        server.rules.request_limit_bytes = limit_bytes
        assert "appeared meanwhile, or changed" in refused(server, movies)
        assert server.files() == {"movies.jsonl": OTHER}

    def test_a_beginning_that_cannot_be_read_now_is_no_different_file(
        self, server: NextcloudServer, movies: Path
    ) -> None:
        (server.folder / "movies.jsonl").write_bytes(CONTENT[:500])
        server.rules.failing_downloads = 1
        send(server, movies)
        assert server.files() == {"movies.jsonl": CONTENT}
        server.rules.failing_downloads = 99
        (server.folder / "movies.jsonl").write_bytes(CONTENT[:500])
        assert "comparing movies.jsonl" in refused(server, movies)

    @pytest.mark.parametrize("old", [OTHER, CONTENT[::-1], CONTENT])
    def test_replace_leaves_only_the_new_file(
        self, either: NextcloudServer, movies: Path, old: bytes
    ) -> None:
        (either.folder / "movies.jsonl").write_bytes(old)
        send(either, movies, replace=True)
        assert either.files() == {"movies.jsonl": CONTENT}
        assert either.count("MOVE") == 1

    @pytest.mark.parametrize("may_delete", [True, False])
    def test_replace_writes_in_place_where_renaming_is_refused(
        self, either: NextcloudServer, movies: Path, may_delete: bool
    ) -> None:
        (either.folder / "movies.jsonl").write_bytes(OTHER)
        either.rules.may_rename, either.rules.may_delete = False, may_delete
        send(either, movies, replace=True)
        assert either.files()["movies.jsonl"] == CONTENT
        assert len(either.files()) == (1 if may_delete else 2)

    def test_replace_does_not_try_to_rename_what_it_knows_it_may_not(
        self, server: NextcloudServer, movies: Path
    ) -> None:
        (server.folder / "movies.jsonl").write_bytes(OTHER)
        server.rules.permissions = "GW"
        send(server, movies, replace=True)
        assert server.files() == {"movies.jsonl": CONTENT}
        assert server.count("MOVE") == 0

    def test_the_old_file_survives_a_replacement_that_fails(
        self, server: NextcloudServer, movies: Path
    ) -> None:
        (server.folder / "movies.jsonl").write_bytes(OTHER)
        server.rules.truncated_puts = 99
        refused(server, movies, replace=True)
        assert server.files() == {"movies.jsonl": OTHER}

    def test_a_rename_whose_answer_is_lost_is_noticed(self, server: NextcloudServer, movies: Path) -> None:
        (server.folder / "movies.jsonl").write_bytes(OTHER)
        server.rules.failing_moves = 1
        send(server, movies, replace=True)
        assert server.files() == {"movies.jsonl": CONTENT}
        assert server.count("MOVE") == 1

    def test_an_old_file_of_the_same_size_is_not_taken_for_the_new_one(
        self, server: NextcloudServer, movies: Path
    ) -> None:
        (server.folder / "movies.jsonl").write_bytes(CONTENT[::-1])
        server.rules.may_rename = False
        server.rules.permissions = "GW"
        server.rules.refuse_puts_with = "500 Internal Server Error"
        assert "HTTP 500" in refused(server, movies, replace=True)

    @pytest.mark.parametrize("limit_bytes", [1 << 40, 20_000])
    def test_a_file_that_appears_meanwhile_is_not_overwritten(
        self, server: NextcloudServer, movies: Path, limit_bytes: int
    ) -> None:
        server.rules.rival = OTHER
        server.rules.request_limit_bytes = limit_bytes
        assert "appeared meanwhile" in refused(server, movies)
        assert server.files() == {"movies.jsonl": OTHER}

    def test_a_folder_is_never_replaced(self, server: NextcloudServer, movies: Path) -> None:
        (server.folder / "movies.jsonl").mkdir()
        assert "is a folder" in refused(server, movies, replace=True)

    @pytest.mark.parametrize(
        ("remote", "expected"),
        [
            (RemoteFile(size=1_234), "1,234 bytes, not 3"),
            (RemoteFile(size=3, sha256="0" * 64), "another checksum"),
            (RemoteFile(), "a size that the server does not tell"),
        ],
    )
    def test_a_different_file_is_no_copy_and_the_difference_is_told(
        self, tmp_path: Path, remote: RemoteFile, expected: str
    ) -> None:
        (tmp_path / "three").write_bytes(b"{}\n")
        with LocalFile(tmp_path / "three") as file:
            assert not is_copy(remote, file)
            assert expected in difference(remote, file)


class TestFailingServer:
    @pytest.mark.parametrize(
        "truncation",
        [
            ("201 Created", ""),
            ("500 Internal Server Error", ""),
            ("524 A Timeout Occurred", ""),
            SHORT_BODY,
        ],
        ids=["silently", "500", "524", "400"],
    )
    def test_a_truncated_upload_is_noticed_and_sent_again(
        self, either: NextcloudServer, movies: Path, truncation: tuple[str, str]
    ) -> None:
        either.rules.truncated_puts = 2
        either.rules.truncation = truncation
        send(either, movies)
        assert either.files() == {"movies.jsonl": CONTENT}
        assert either.count("PUT") == 3

    def test_a_reset_connection_is_noticed_and_sent_again(
        self, either: NextcloudServer, movies: Path
    ) -> None:
        either.rules.broken_puts = 1
        send(either, movies)
        assert either.files() == {"movies.jsonl": CONTENT}
        assert either.count("PUT") == 2

    def test_an_upload_that_stays_truncated_fails_and_says_what_is_left(
        self, either: NextcloudServer, movies: Path
    ) -> None:
        either.rules.truncated_puts = 99
        message = refused(either, movies)
        assert f"{len(CONTENT) // 2:,} bytes there instead of {len(CONTENT):,}" in message
        assert either.count("PUT") == ATTEMPTS

    @pytest.mark.parametrize("rival", [CONTENT + OTHER, OTHER, b"x" + CONTENT[1:500]])
    def test_a_file_that_appears_after_a_passing_fault_is_not_taken_for_a_torn_upload(
        self, either: NextcloudServer, movies: Path, rival: bytes
    ) -> None:
        either.rules.failing_puts, either.rules.late_rival = 1, rival
        assert "a different movies.jsonl" in refused(either, movies)
        assert either.files() == {"movies.jsonl": rival}
        assert either.count("PUT") == 1

    def test_a_torn_upload_that_cannot_be_read_is_left_alone(
        self, either: NextcloudServer, movies: Path
    ) -> None:
        either.rules.truncated_puts, either.rules.may_download = 1, False
        assert "a different movies.jsonl" in refused(either, movies)
        assert either.count("PUT") == 1

    @pytest.mark.parametrize("status", ["403 Forbidden", "507 Insufficient Storage", "400 Bad Request"])
    def test_a_refusal_says_what_an_attempt_before_it_has_left(
        self, either: NextcloudServer, movies: Path, status: str
    ) -> None:
        either.rules.truncated_puts, either.rules.refuse_overwriting_with = 1, status
        message = refused(either, movies)
        assert f"HTTP {status[:3]}" in message
        assert f"movies.jsonl has {len(CONTENT) // 2:,} bytes there" in message

    def test_a_refused_replacement_says_that_the_old_file_is_untouched(
        self, server: NextcloudServer, movies: Path
    ) -> None:
        (server.folder / "movies.jsonl").write_bytes(OTHER)
        server.rules.may_rename = False
        server.rules.refuse_overwriting_with = "507 Insufficient Storage"
        assert "the movies.jsonl that was there is untouched" in refused(server, movies, replace=True).lower()
        assert server.files()["movies.jsonl"] == OTHER

    def test_passing_faults_are_waited_out(self, either: NextcloudServer, movies: Path) -> None:
        either.rules.failing_requests = 2
        send(either, movies)
        assert either.files() == {"movies.jsonl": CONTENT}

    @pytest.mark.parametrize(
        ("status", "expected", "puts"),
        [
            ("400 Bad Request", "HTTP 400", 1),
            ("401 Unauthorized", "NEXTCLOUD_PASSWORD", 1),
            ("403 Forbidden", "allow uploading", 1),
            ("404 Not Found", "HTTP 404", 1),
            ("409 Conflict", "folder", 1),
            ("412 Precondition Failed", "HTTP 412", 1),
            ("423 Locked", "locked", ATTEMPTS),
            ("429 Too Many Requests", "throttles", 1),
            ("500 Internal Server Error", "HTTP 500", ATTEMPTS),
            ("507 Insufficient Storage", "quota", 1),
            ("202 Accepted", "HTTP 202", 1),
            ("302 Found", "redirects", 1),
        ],
    )
    def test_every_other_answer_is_a_failure_that_says_why(
        self, either: NextcloudServer, movies: Path, status: str, expected: str, puts: int
    ) -> None:
        either.rules.refuse_puts_with = status
        assert expected in refused(either, movies)
        assert either.count("PUT") == puts

    def test_an_unknown_share_is_not_asked_for_twice(self, server: NextcloudServer, movies: Path) -> None:
        message = refused(server, movies, link=f"{server.url}/s/0therT0ken")
        assert "no such share" in message
        assert "0therT0ken" not in message
        assert len(server.requests) == 1

    def test_a_web_server_without_nextcloud_is_no_share(self, server: NextcloudServer, movies: Path) -> None:
        assert "no such share" in refused(server, movies, link=server.link.replace("/cloud/", "/other/"))

    def test_a_file_that_shrinks_meanwhile_fails(self, server: NextcloudServer, movies: Path) -> None:
        async def run() -> None:
            async with open_share(ShareLink.parse(server.link), "", Proxies(), PAUSES_S) as share:
                with LocalFile(movies) as file:
                    file.sha256()
                    os.truncate(movies, 10)
                    await upload(share, file, "movies.jsonl", replace=False, on_sent=lambda sent: None)

        with pytest.raises(UploadError, match="became shorter"):
            asyncio.run(run())
