"""What Scrapy's users are used to works here too."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable

import psutil
import pytest
from crawl import Crawl

from tmdb_scrapy.kinds import KINDS

USERS_CODE = '''
from pathlib import Path

class Titles:
    """A pipeline: writes titles down, and drops what it does not like."""
    def process_item(self, item):
        from itemadapter import ItemAdapter
        from scrapy.exceptions import DropItem
        if ItemAdapter(item)["id"] % 7 == 0:
            raise DropItem("unlucky")
        with Path("titles.txt").open("a") as file:
            file.write(f"{ItemAdapter(item)['id']}\\n")
        return item

class Clumsy:
    """A pipeline with a mistake that strikes for some."""
    def process_item(self, item):
        if item.id % 5 == 0:
            raise ZeroDivisionError("clumsy")
        return item

class Stamp:
    """A downloader middleware: sees every request and response, and ignores some."""
    def process_request(self, request):
        from scrapy.exceptions import IgnoreRequest
        request.headers["X-Stamp"] = "yes"
        if request.meta["claim"].id % 11 == 0:
            raise IgnoreRequest("not this one")
    def process_response(self, request, response):
        with Path("stamps.txt").open("a") as file:
            file.write(f"{response.status} {request.url}\\n")
        return response
'''


def test_list_names_the_spiders(crawl: Callable[..., Crawl]) -> None:
    ended = crawl().scrapy("list")
    assert (ended.code, ended.output.split()) == (0, sorted(KINDS))


def test_check_finds_the_contracts_kept(crawl: Callable[..., Crawl]) -> None:
    ended = crawl().scrapy("check")
    assert ended.code == 0, ended


def test_help_lists_our_commands(crawl: Callable[..., Crawl]) -> None:
    ended = crawl().scrapy("--help")
    for command in (
        "seed",
        "crawl",
        "status",
        "retry",
        "merge",
        "audit",
        "upload",
        "sandbox",
        "job",
        "redis",
        "demo",
    ):
        assert re.search(rf"^  {command} +\S", ended.output, re.M), command


def test_an_unknown_spider_is_an_error_without_a_traceback(crawl: Callable[..., Crawl]) -> None:
    ended = crawl().scrapy("crawl", "series")
    assert ended.code, ended
    assert "series" in ended.output


def test_the_last_lines_are_the_stats(crawl: Callable[..., Crawl]) -> None:
    counted = crawl("--movies", "200", RATE_LIMIT="0")
    counted.seed()
    (worker,) = counted.start()
    counted.finish()
    ends = list(counted.expected().values())
    for end in ("kept", "dropped", "missing"):
        assert f"'settled/{end}': {ends.count(end)}" in worker.output
    assert "'finish_reason': 'finished'" in worker.output
    dropped = re.findall(r"'filter/(\w+)': (\d+)", worker.output)
    assert sum(int(count) for _, count in dropped) == ends.count("dropped")
    assert {reason for reason, _ in dropped} <= {"budget", "revenue", "genres", "cast", "crew"}


@pytest.mark.parametrize(
    ("level", "found"), [("ERROR", set()), ("INFO", {"INFO"}), ("DEBUG", {"INFO", "DEBUG"})]
)
def test_the_log_has_lines_of_its_level_and_above_alone(
    crawl: Callable[..., Crawl], level: str, found: set[str]
) -> None:
    logged = crawl("--movies", "30", RATE_LIMIT="0")
    logged.seed()
    (worker,) = logged.start(1, "-s", f"LOG_LEVEL={level}")
    logged.finish()
    assert set(re.findall(r"\] (DEBUG|INFO|WARNING|ERROR): ", worker.output)) == found
    assert ("DEBUG: Crawled (200)" in worker.output) == (level == "DEBUG")


def test_configuration_on_the_command_line_wins(crawl: Callable[..., Crawl]) -> None:
    everything = crawl("--movies", "60", RATE_LIMIT="0", FILTER="on")
    everything.seed()
    everything.start(1, "-s", "FILTER=off", "-s", "THREADS=7")
    everything.finish()
    assert set(everything.ledger().values()) <= {b"k", b"m"}


def test_a_users_own_pipeline_and_middleware_take_part(crawl: Callable[..., Crawl]) -> None:
    own = crawl("--movies", "300", RATE_LIMIT="0", FILTER="off")
    (own.directory / "users_code.py").write_text(USERS_CODE)
    own.environment["PYTHONPATH"] += f":{own.directory}"
    own.seed()
    pipelines = {
        "users_code.Titles": 500,
        "users_code.Clumsy": 600,
        "tmdb_scrapy.pipelines.part_writer.PartWriterPipeline": 900,
    }
    own.start(
        1, "-s", f"ITEM_PIPELINES={json.dumps(pipelines)}",
        "-s", f"DOWNLOADER_MIDDLEWARES={json.dumps({'users_code.Stamp': 500})}",
    )  # fmt: skip
    own.finish()
    ledger = own.ledger()
    for number, end in own.expected().items():
        if number % 11 == 0:
            state = b"d"
        elif end == "missing":
            state = b"m"
        elif number % 7 == 0:
            state = b"d"
        else:
            state = b"f" if number % 5 == 0 else b"k"
        assert ledger[number] == state, number
    assert own.scrapy("merge", "movies").code == 0
    own.assert_merged({number for number, state in ledger.items() if state == b"k"})
    titles = {int(line) for line in (own.directory / "titles.txt").read_text().split()}
    assert {number for number, state in ledger.items() if state in b"kf"} == titles
    assert len((own.directory / "stamps.txt").read_text().splitlines()) == len(own.journal())
    assert own.environment["TMDB_API_KEY"] not in (own.directory / "stamps.txt").read_text()


def test_the_telnet_console_answers_est_to_whom_knows_the_password(crawl: Callable[..., Crawl]) -> None:
    watched = crawl("--movies", "500", RATE_LIMIT="20")
    watched.seed()
    (worker,) = watched.start()
    worker.says("Telnet console listening on")
    password = (watched.data / "console.password").read_text()
    address = re.search(r"Telnet console listening on ([\d.]+):(\d+)", worker.output)
    assert address and address[1] == "127.0.0.1"
    listening = [
        c.laddr.ip for c in psutil.Process(worker.process.pid).net_connections() if c.status == "LISTEN"
    ]
    assert listening == ["127.0.0.1"]
    assert "Authentication failed" in _talk(int(address[2]), "wrong")
    status = _talk(int(address[2]), password)
    assert "engine.downloader.active" in status
    assert "exception" not in status, "a line of est() has no answer"
    assert worker.alive
    assert password not in worker.output


def _talk(port: int, password: str) -> str:
    """Log in and ask `est()`; everything that the console said."""
    heard = b""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as console:
        for prompt, answer in ((b"Username: ", "scrapy"), (b"Password: ", password), (b">>> ", "est()")):
            heard = _listen(console, heard, prompt)
            if prompt not in heard:
                break
            console.sendall(f"{answer}\r\n".encode())
        heard = _listen(console, heard, b"needs_backout()")
    return heard.decode(errors="replace")


def _listen(console: socket.socket, heard: bytes, until: bytes) -> bytes:
    """Read on, agreeing to whatever the console negotiates (RFC 854): it hides the password that way."""
    while until not in heard and b"failed" not in heard:
        more = console.recv(4096)
        if not more:
            break
        for offer, agreement in ((b"\xff\xfb", b"\xff\xfd"), (b"\xff\xfc", b"\xff\xfe")):
            for option in more.split(offer)[1:]:
                console.sendall(agreement + option[:1])
        heard += more
    return heard


def test_status_shows_the_worker(crawl: Callable[..., Crawl]) -> None:
    watched = crawl("--movies", "500", RATE_LIMIT="40")
    watched.seed()
    (worker,) = watched.start()
    watched.await_settled(60)
    shown = watched.scrapy("status", "movies", COLUMNS="160")
    assert shown.code == 0 and str(worker.process.pid) in shown.output and "crawling" in shown.output, shown
    assert watched.scrapy("status").code == 0
