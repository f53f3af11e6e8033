from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
import trustme
from environments import bare_environment
from http_proxy import HttpProxy
from nextcloud_server import TOKEN, NextcloudServer
from raw_server import UPLOAD_ONLY, response, serving

MOVIES = b'{"id":1}\n{"id":2}\n'
PASSWORD = "open-sesame"
HOST = "cloud.example"
"""Reached by a proxy only."""
SYSTEM_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
LARGE = 64 << 20
"""Bytes, more than the buffers of a connection hold."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[NextcloudServer]:
    root = tmp_path / "nextcloud"
    root.mkdir()
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(root / "authority.pem"))
    authority.issue_cert("127.0.0.1", HOST).private_key_and_cert_chain_pem.write_to_path(
        str(root / "server.pem")
    )
    server = NextcloudServer(root, root / "server.pem")
    server.rules.password = PASSWORD
    yield server
    server.stop()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """DATA_DIR with a merged file and two parts."""
    parts = tmp_path / "data" / "movies" / "parts"
    parts.mkdir(parents=True)
    (tmp_path / "data" / "movies.jsonl").write_bytes(MOVIES)
    (parts / "1.jsonl").write_bytes(b'{"id":1}\n')
    (parts / "2.jsonl").write_bytes(b'{"id":2}\n')
    return tmp_path / "data"


def scrapy_upload(
    server: NextcloudServer, data: Path, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the command as a user does, in a directory of its own."""
    result = subprocess.run(
        [sys.executable, "-m", "scrapy", "upload", *arguments],
        cwd=data.parent,
        env={
            **bare_environment(data.parent),
            "SSL_CERT_FILE": str(server.folder.parent / "authority.pem"),
            "DATA_DIR": str(data),
            "NEXTCLOUD_UPLOAD": server.link,
            "NEXTCLOUD_PASSWORD": PASSWORD,
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert TOKEN not in result.stdout + result.stderr
    assert PASSWORD not in result.stdout + result.stderr
    assert "Traceback" not in result.stderr
    return result


def test_the_merged_file_is_uploaded_over_tls_and_said_to_be_verified(
    server: NextcloudServer, data: Path
) -> None:
    result = scrapy_upload(server, data, "movies")
    assert result.returncode == 0, result.stderr
    assert server.files() == {"movies.jsonl": MOVIES}
    looking, started, ended = result.stderr.splitlines()
    assert looking == f"looking at the share on {urlsplit(server.url).netloc}"
    assert f"uploading {len(MOVIES)} bytes" in started
    assert "size verified" in ended


def test_the_folder_that_the_link_shows_is_where_the_file_goes(server: NextcloudServer, data: Path) -> None:
    (server.folder / "a b").mkdir()
    result = scrapy_upload(server, data, "movies", NEXTCLOUD_UPLOAD=f"{server.link}?dir=/a%20b")
    assert result.returncode == 0, result.stderr
    assert server.files() == {"a b/movies.jsonl": MOVIES}
    looking, started, ended = result.stderr.splitlines()
    assert looking == f"looking at /a b of the share on {urlsplit(server.url).netloc}"
    assert started.endswith(" in /a b")
    assert "in /a b: size verified" in ended


def test_the_certificates_of_the_system_count(server: NextcloudServer, data: Path) -> None:
    authority = server.folder.parent / "authority.pem"
    inside = f"mount --bind {shlex.quote(str(authority))} {SYSTEM_CERTIFICATES} && "
    if not SYSTEM_CERTIFICATES.exists() or subprocess.run(["unshare", "--mount", "true"]).returncode:
        pytest.skip("needs root, and a system that keeps its certificates where Debian does")
    command = shlex.join([sys.executable, "-m", "scrapy", "upload", "movies"])
    result = subprocess.run(
        ["unshare", "--mount", "sh", "-c", inside + command],
        cwd=data.parent,
        env={
            **bare_environment(data.parent),
            "DATA_DIR": str(data),
            "NEXTCLOUD_UPLOAD": server.link,
            "NEXTCLOUD_PASSWORD": PASSWORD,
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr
    assert server.files() == {"movies.jsonl": MOVIES}


def test_a_different_file_is_replaced_only_when_asked_to(server: NextcloudServer, data: Path) -> None:
    (server.folder / "movies.jsonl").write_bytes(b"old")
    result = scrapy_upload(server, data, "movies")
    assert result.returncode == 1
    assert "--replace" in result.stderr
    assert server.files() == {"movies.jsonl": b"old"}
    assert scrapy_upload(server, data, "movies", "--replace").returncode == 0
    assert server.files() == {"movies.jsonl": MOVIES}


def test_a_name_can_be_chosen(server: NextcloudServer, data: Path) -> None:
    assert scrapy_upload(server, data, "movies", "--name", "today.jsonl").returncode == 0
    assert server.files() == {"today.jsonl": MOVIES}


def test_parts_are_named_after_this_machine_and_their_kind(server: NextcloudServer, data: Path) -> None:
    assert scrapy_upload(server, data, "movies", "--parts").returncode == 0
    host = socket.gethostname()
    assert server.files() == {
        f"{host}-movies-1.jsonl": b'{"id":1}\n',
        f"{host}-movies-2.jsonl": b'{"id":2}\n',
    }


def test_a_part_that_has_grown_since_is_completed(server: NextcloudServer, data: Path) -> None:
    assert scrapy_upload(server, data, "movies", "--parts").returncode == 0
    with (data / "movies" / "parts" / "1.jsonl").open("ab") as part:
        part.write(b'{"id":3}\n')
    assert scrapy_upload(server, data, "movies", "--parts").returncode == 0
    assert server.files()[f"{socket.gethostname()}-movies-1.jsonl"] == b'{"id":1}\n{"id":3}\n'


def test_one_part_that_fails_does_not_keep_the_others_back(server: NextcloudServer, data: Path) -> None:
    host = socket.gethostname()
    (server.folder / f"{host}-movies-1.jsonl").write_bytes(b"something else")
    result = scrapy_upload(server, data, "movies", "--parts")
    assert result.returncode == 1
    assert server.files()[f"{host}-movies-2.jsonl"] == b'{"id":2}\n'


@pytest.mark.parametrize(
    ("arguments", "environment", "exit_code", "expected"),
    [
        (["movies"], {"NEXTCLOUD_UPLOAD": ""}, 2, "NEXTCLOUD_UPLOAD is not set"),
        (["movies"], {"NEXTCLOUD_UPLOAD": "https://cloud.example/s/T?path=/../a"}, 2, "names a folder"),
        (["movies"], {"THREADS": "many"}, 2, "THREADS"),
        (["movies"], {"SSL_CERT_FILE": "/nowhere/authority.pem"}, 1, "SSL_CERT_FILE"),
        (["movies"], {"NEXTCLOUD_PASSWORD": "wrong"}, 1, "NEXTCLOUD_PASSWORD"),
        (["people"], {}, 1, "run `scrapy merge people` first"),
        (["people", "--parts"], {}, 1, "has no parts"),
        (["series"], {}, 2, "movies, people, tv"),
        ([], {}, 2, "movies,people,tv"),
        (["movies", "--replaec"], {}, 2, "--replaec"),
        (["movies", "--parts", "--name", "x"], {}, 2, "--parts"),
    ],
)
def test_a_mistake_is_explained_and_uploads_nothing(
    server: NextcloudServer,
    data: Path,
    arguments: list[str],
    environment: dict[str, str],
    exit_code: int,
    expected: str,
) -> None:
    result = scrapy_upload(server, data, *arguments, **environment)
    assert (result.returncode, expected in result.stderr) == (exit_code, True), result.stderr
    assert server.files() == {}


def test_a_server_error_is_a_failure(server: NextcloudServer, data: Path) -> None:
    server.rules.refuse_puts_with = "400 Bad Request"
    result = scrapy_upload(server, data, "movies")
    assert result.returncode == 1
    assert "HTTP 400" in result.stderr


def start_upload(data: Path, port: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "scrapy", "upload", "movies"],
        cwd=data.parent,
        env={
            **bare_environment(data.parent),
            "DATA_DIR": str(data),
            "NEXTCLOUD_UPLOAD": f"http://127.0.0.1:{port}/s/{TOKEN}",
        },
        stderr=subprocess.PIPE,
        text=True,
    )


def make_large(data: Path, size: int) -> None:
    with (data / "movies.jsonl").open("wb") as file:
        file.truncate(size)


def test_ctrl_c_ends_an_upload_at_once(data: Path) -> None:
    make_large(data, LARGE)
    requests = 0
    taken, interrupted = asyncio.Event(), asyncio.Event()
    rest = 0

    async def take_a_part(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal requests, rest
        requests += 1
        if requests == 1:
            writer.write(response("405 Method Not Allowed", UPLOAD_ONLY))
            await writer.drain()
            return
        await reader.readexactly(1 << 20)
        taken.set()
        await interrupted.wait()
        with contextlib.suppress(ConnectionError):
            while block := await reader.read(1 << 20):
                rest += len(block)

    async def run() -> tuple[int, str]:
        async with serving(take_a_part) as port:
            process = start_upload(data, port)
            await taken.wait()
            process.send_signal(signal.SIGINT)
            interrupted.set()
            _, said = await asyncio.to_thread(process.communicate, timeout=20)
            return process.returncode, said

    exit_code, said = asyncio.run(run())
    assert exit_code == 130
    assert said.splitlines()[-1] == "tmdb: upload interrupted: the share may hold an incomplete file"
    assert (requests, rest < LARGE // 2) == (2, True)


@pytest.mark.slow
def test_a_file_of_a_gigabyte_needs_no_more_memory_than_a_small_one(
    data: Path, figures: Callable[[str], None]
) -> None:
    peaks = {}
    for size in (1 << 20, 1 << 30):
        make_large(data, size)
        peaks[size] = asyncio.run(peak_of_an_upload(data, size))
    figures(f"upload of 1 GiB: {peaks[1 << 30] >> 10} MiB, of 1 MiB: {peaks[1 << 20] >> 10} MiB")
    assert peaks[1 << 30] - peaks[1 << 20] < 16 << 10


async def peak_of_an_upload(data: Path, size: int) -> int:
    """The resident memory of `scrapy upload` at its highest, in KiB."""
    looked = False

    async def take_all(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal looked
        if looked:
            left = size
            while left:
                left -= len(await reader.read(min(left, 1 << 20)))
        status, body = ("201 Created", b"") if looked else ("405 Method Not Allowed", UPLOAD_ONLY)
        looked = True
        writer.write(response(status, body))
        await writer.drain()

    async with serving(take_all) as port:
        process = start_upload(data, port)
        _, status, usage = await asyncio.to_thread(os.wait4, process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.stderr is not None
        with process.stderr as said:
            assert process.returncode == 0, said.read()
    return usage.ru_maxrss


def test_a_proxy_with_a_password_is_the_way_to_the_share(server: NextcloudServer, data: Path) -> None:
    password = "s3cret/@:"
    address = urlsplit(server.url)._replace(netloc=f"{HOST}:{urlsplit(server.url).port}")
    with HttpProxy("somebody", password) as proxy:
        (data.parent / ".env").write_text(
            f"HTTPS_PROXY={proxy.url.replace(password, quote(password, safe=''))}\n"
        )
        link = f"{address.geturl()}/s/{TOKEN}"
        result = scrapy_upload(server, data, "movies", NEXTCLOUD_UPLOAD=link)
    assert result.returncode == 0, result.stderr
    assert server.files() == {"movies.jsonl": MOVIES}
    assert set(proxy.requests) == {f"CONNECT {address.netloc}"}


def test_a_share_on_loopback_is_reached_without_a_proxy(server: NextcloudServer, data: Path) -> None:
    with HttpProxy() as proxy:
        result = scrapy_upload(server, data, "movies", HTTPS_PROXY=proxy.url, all_proxy=proxy.url)
    assert result.returncode == 0, result.stderr
    assert server.files() == {"movies.jsonl": MOVIES}
    assert proxy.requests == []
