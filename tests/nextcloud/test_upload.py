from __future__ import annotations

import asyncio
import os
import socket
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from nextcloud_server import TOKEN, NextcloudServer

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
    wire,
)
from tmdb_scrapy.nextcloud.responses import RemoteFile
from tmdb_scrapy.nextcloud.upload import difference, is_copy

CONTENT = b'{"id":1,"title":"Blondie"}\n' * 4000
OTHER = b"another file altogether\n"
SHORT_BODY = (
    "400 Bad Request",
    "Expected filesize of 2 bytes but read (from Nextcloud client) and wrote (to Nextcloud storage) 1 byte.",
)
"""Status and message of Nextcloud's answer to a PUT that was cut short."""
PAUSES_S = (0.01, 0.02)
ATTEMPTS = len(PAUSES_S) + 1


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "CHUNK_BYTES", 10_000)


@pytest.fixture
def movies(tmp_path: Path) -> Path:
    path = tmp_path / "movies.jsonl"
    path.write_bytes(CONTENT)
    return path


def send(
    server: NextcloudServer,
    path: Path,
    *,
    name: str = "movies.jsonl",
    password: str = "",
    replace: bool = False,
    link: str = "",
    sizes: list[int] | None = None,
) -> Receipt:
    async def run() -> Receipt:
        async with open_share(ShareLink.parse(link or server.link), password, Proxies(), PAUSES_S) as share:
            with LocalFile(path) as file:
                return await upload(
                    share, file, name, replace=replace, on_sent=(sizes if sizes is not None else []).append
                )

    return asyncio.run(run())


def refused(server: NextcloudServer, path: Path, **options: Any) -> str:
    with pytest.raises(UploadError) as caught:
        send(server, path, **options)
    assert TOKEN not in str(caught.value)
    return str(caught.value)


@pytest.fixture(params=["current", "legacy"])
def either(request: pytest.FixtureRequest, server: NextcloudServer) -> NextcloudServer:
    """A server that has only one of the endpoints."""
    server.rules.has_current_endpoint = request.param == "current"
    server.rules.has_legacy_endpoint = request.param == "legacy"
    return server


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

    def test_progress_ends_at_the_size(self, server: NextcloudServer, movies: Path) -> None:
        sizes: list[int] = []
        send(server, movies, sizes=sizes)
        assert sizes[0] == 0
        assert sizes[-1] == len(CONTENT)

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


class TestFolderOfTheLink:
    @pytest.mark.parametrize(
        ("shown", "folder"),
        [
            ("?path=/sub", "sub"),
            ("?dir=%2Fsub", "sub"),
            ("?dir=/a/b%20c/%C3%A4%23%3F%25", "a/b c/ä#?%"),
            ("/download?path=%2Fsub&files=old.jsonl", "sub"),
        ],
    )
    def test_the_file_goes_into_it(
        self, either: NextcloudServer, movies: Path, shown: str, folder: str
    ) -> None:
        (either.folder / folder).mkdir(parents=True)
        assert send(either, movies, link=either.link + shown).verification is Verification.SIZE
        assert either.files() == {f"{folder}/movies.jsonl": CONTENT}

    @pytest.mark.parametrize("shown", ["?path=/", "?dir=%2F", "?path=", "?openfile=12&sort=name"])
    def test_the_top_is_looked_at_once(self, either: NextcloudServer, movies: Path, shown: str) -> None:
        send(either, movies, link=either.link + shown)
        assert either.files() == {"movies.jsonl": CONTENT}
        looks = [request for request in either.requests if request.endswith("/")]
        assert len(looks) == (1 if either.rules.has_current_endpoint else 2)

    def test_chunks_are_assembled_in_it(self, server: NextcloudServer, movies: Path) -> None:
        (server.folder / "ä b").mkdir()
        server.rules.request_limit_bytes = 20_000
        send(server, movies, link=f"{server.link}?dir=/%C3%A4%20b")
        assert server.files() == {"ä b/movies.jsonl": CONTENT}
        assert list(server.uploads.iterdir()) == []

    @pytest.mark.parametrize("limit_bytes", [1 << 40, 20_000])
    def test_the_beginning_of_the_file_is_completed_in_it(
        self, server: NextcloudServer, movies: Path, limit_bytes: int
    ) -> None:
        (server.folder / "sub").mkdir()
        (server.folder / "sub" / "movies.jsonl").write_bytes(CONTENT[:500])
        (server.folder / "movies.jsonl").write_bytes(OTHER)
        server.rules.request_limit_bytes = limit_bytes
        send(server, movies, link=f"{server.link}?path=/sub")
        assert server.files() == {"sub/movies.jsonl": CONTENT, "movies.jsonl": OTHER}

    def test_a_file_of_it_is_replaced_at_once_and_nothing_at_the_top(
        self, either: NextcloudServer, movies: Path
    ) -> None:
        (either.folder / "sub").mkdir()
        (either.folder / "sub" / "movies.jsonl").write_bytes(OTHER)
        (either.folder / "movies.jsonl").write_bytes(OTHER)
        send(either, movies, link=f"{either.link}?path=/sub", replace=True)
        assert either.files() == {"sub/movies.jsonl": CONTENT, "movies.jsonl": OTHER}
        assert either.count("MOVE") == 1

    @pytest.mark.parametrize("replace", [True, False])
    def test_a_folder_that_does_not_exist_is_said_and_nothing_is_sent(
        self, either: NextcloudServer, movies: Path, replace: bool
    ) -> None:
        link = f"{either.link}?path=/sub/deeper"
        assert "no folder /sub/deeper" in refused(either, movies, link=link, replace=replace)
        assert either.count("PUT") == 0

    def test_a_file_is_no_folder(self, either: NextcloudServer, movies: Path) -> None:
        (either.folder / "sub").write_bytes(OTHER)
        assert "no folder /sub" in refused(either, movies, link=f"{either.link}?dir=/sub")
        assert either.count("PUT") == 0

    def test_an_upload_only_share_has_none_to_offer(self, either: NextcloudServer, movies: Path) -> None:
        (either.folder / "sub").mkdir()
        either.rules.upload_only = True
        assert "takes files at its top only" in refused(either, movies, link=f"{either.link}?dir=/sub")
        assert either.count("PUT") == 0


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


class TestUploadOnlyShare:
    @pytest.fixture(autouse=True)
    def upload_only(self, server: NextcloudServer) -> None:
        server.rules.upload_only = True

    def test_the_receipt_says_that_nothing_could_be_verified(
        self, either: NextcloudServer, movies: Path
    ) -> None:
        assert send(either, movies).verification is Verification.IMPOSSIBLE
        assert either.files() == {"movies.jsonl": CONTENT}

    def test_a_checksum_of_the_server_verifies_it_all_the_same(
        self, server: NextcloudServer, movies: Path
    ) -> None:
        server.rules.hashes_on_request = True
        assert send(server, movies).verification is Verification.CHECKSUM

    def test_the_right_password_opens_the_share(self, either: NextcloudServer, movies: Path) -> None:
        either.rules.password = "secret"
        assert "NEXTCLOUD_PASSWORD" in refused(either, movies, password="wrong")
        assert either.unauthorized == 1
        send(either, movies, password="secret")
        assert either.files() == {"movies.jsonl": CONTENT}

    def test_a_nickname_is_given_when_it_is_demanded(self, server: NextcloudServer, movies: Path) -> None:
        server.rules.needs_nickname = True
        send(server, movies)
        assert server.files() == {"movies.jsonl": CONTENT}

    def test_a_web_server_that_answers_405_does_not_hide_the_legacy_endpoint(
        self, server: NextcloudServer, movies: Path
    ) -> None:
        server.rules.has_current_endpoint = False
        server.rules.absent_status = "405 Method Not Allowed"
        send(server, movies)
        assert server.files() == {"movies.jsonl": CONTENT}

    @pytest.mark.parametrize("fault", ["truncated_puts", "broken_puts"])
    def test_nothing_is_sent_twice(self, either: NextcloudServer, movies: Path, fault: str) -> None:
        setattr(either.rules, fault, 1)
        assert "look at it before uploading again" in refused(either, movies)
        assert either.count("PUT") == 1
        assert len(either.files()) == 1

    def test_a_refusal_of_half_a_file_says_that_it_may_be_there(
        self, either: NextcloudServer, movies: Path
    ) -> None:
        either.rules.truncated_puts, either.rules.truncation = 1, SHORT_BODY
        assert "look at it before uploading again" in refused(either, movies)
        assert either.count("PUT") == 1

    def test_an_empty_file_is_not_sent_twice_either(self, server: NextcloudServer, tmp_path: Path) -> None:
        (tmp_path / "empty").touch()
        server.rules.broken_puts = 1
        refused(server, tmp_path / "empty")
        assert server.count("PUT") == 1


class TestChunkedUpload:
    @pytest.fixture(autouse=True)
    def behind_a_proxy(self, server: NextcloudServer) -> None:
        server.rules.request_limit_bytes = 20_000

    def test_a_file_too_large_for_a_proxy_goes_in_chunks(self, server: NextcloudServer, movies: Path) -> None:
        assert send(server, movies).verification is Verification.SIZE
        assert server.files() == {"movies.jsonl": CONTENT}
        assert list(server.uploads.iterdir()) == []

    def test_chunks_replace_too(self, server: NextcloudServer, movies: Path) -> None:
        (server.folder / "movies.jsonl").write_bytes(OTHER)
        send(server, movies, replace=True)
        assert server.files() == {"movies.jsonl": CONTENT}

    def test_an_upload_only_share_takes_chunks(self, server: NextcloudServer, movies: Path) -> None:
        server.rules.upload_only = True
        assert send(server, movies).verification is Verification.IMPOSSIBLE
        assert server.files() == {"movies.jsonl": CONTENT}

    def test_an_upload_only_share_is_not_assembled_twice(self, server: NextcloudServer, movies: Path) -> None:
        server.rules.upload_only = True
        server.rules.failing_moves = 1
        assert "look at it before uploading again" in refused(server, movies)
        assert server.files() == {"movies.jsonl": CONTENT}

    def test_an_assembly_whose_answer_is_lost_is_noticed(self, server: NextcloudServer, movies: Path) -> None:
        server.rules.failing_moves = 1
        send(server, movies)
        assert server.files() == {"movies.jsonl": CONTENT}
        assert server.count("MOVE") == 1

    def test_chunks_that_are_too_large_as_well_are_a_failure(
        self, server: NextcloudServer, movies: Path
    ) -> None:
        server.rules.request_limit_bytes = 5_000
        assert "413" in refused(server, movies)
        assert list(server.uploads.iterdir()) == []

    @pytest.mark.parametrize("missing", ["has_chunked_upload", "has_current_endpoint"])
    def test_a_server_without_chunked_upload_is_a_failure_that_says_so(
        self, server: NextcloudServer, movies: Path, missing: str
    ) -> None:
        setattr(server.rules, missing, False)
        message = refused(server, movies)
        assert "limits the size of a request" in message
        assert "no chunked upload" in message
        assert server.files() == {}


class TestTransport:
    @pytest.fixture
    def secure(self, tmp_path: Path) -> Iterator[NextcloudServer]:
        certificate = tmp_path / "server.pem"
        trustme.CA().issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(certificate))
        root = tmp_path / "secure"
        root.mkdir()
        server = NextcloudServer(root, certificate)
        yield server
        server.stop()

    def test_an_unknown_certificate_is_refused_before_anything_is_sent(
        self, secure: NextcloudServer, movies: Path
    ) -> None:
        assert "certificate is not trusted" in refused(secure, movies)
        assert secure.requests == []

    def test_a_server_that_is_down_is_named(self, server: NextcloudServer, movies: Path) -> None:
        with socket.socket() as unheard:
            # Bound and not listening: nobody else can take the port, and nobody answers on it.
            unheard.bind(("127.0.0.1", 0))
            host = f"127.0.0.1:{unheard.getsockname()[1]}"
            assert host in refused(server, movies, link=f"http://{host}/s/{TOKEN}")

    def test_a_server_that_never_answers_is_given_up(
        self, server: NextcloudServer, movies: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(wire, "RESPONSE_S", 0.05)
        with socket.create_server(("127.0.0.1", 0)) as silent:
            host = f"127.0.0.1:{silent.getsockname()[1]}"
            message = refused(server, movies, link=f"http://{host}/s/{TOKEN}")
        assert message == f"{host}: the connection broke (the server fell silent). Try again later"
