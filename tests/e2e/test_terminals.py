"""Commands and the terminal or pipe that they run in: it may close, and it may not be one."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable

import psutil
import pytest
from crawl import Crawl, Worker
from waiting import wait_until


def family(worker: Worker) -> list[psutil.Process]:
    return psutil.Process(worker.process.pid).children(recursive=True)


def runs(process: psutil.Process) -> bool:
    """Alive, and not a zombie that a container's first process does not bury."""
    try:
        return process.is_running() and str(process.status()) != str(psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def test_a_closed_terminal_ends_the_job_with_its_workers(crawl: Callable[..., Crawl]) -> None:
    one = crawl("--movies", "2000", RATE_LIMIT="100")
    job = one.start_command([sys.executable, "-m", "scrapy", "job", "movies"])
    one.await_settled(50)
    workers = family(job)
    assert len(workers) == 2
    job.send(signal.SIGHUP)
    assert job.wait() == 130
    assert not [worker for worker in workers if runs(worker)]
    assert one.heartbeats() == {}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_demo_that_is_ended_leaves_nothing_running(
    crawl: Callable[..., Crawl], number: signal.Signals
) -> None:
    one = crawl()
    demo = one.start_command([sys.executable, "-m", "scrapy", "demo", "--movies", "20000"])
    redis_pid = one.directory / ".demo/redis/redis.pid"
    wait_until(lambda: len(family(demo)) >= 4, "sandbox, job and two workers run")
    everybody = [*family(demo), psutil.Process(int(redis_pid.read_text()))]
    demo.send(number)
    assert demo.wait() == 130
    assert not [process for process in everybody if runs(process)]


def test_watching_in_a_pipe_prints_picture_after_picture(crawl: Callable[..., Crawl]) -> None:
    one = crawl("--movies", "10")
    one.seed()
    watch = one.start_command([sys.executable, "-m", "scrapy", "status", "--watch"], PYTHONUNBUFFERED="1")
    wait_until(lambda: watch.output.count("0 of 10 done") >= 2, "two pictures")
    one.redis_server.stop()
    watch.says("no Redis answers at")
    one.redis_server.start()
    pictures = watch.output.count("0 of 10 done")
    wait_until(lambda: watch.output.count("0 of 10 done") > pictures, "another picture")
    watch.send(signal.SIGINT)
    assert watch.wait() == 130


def test_a_reader_that_leaves_ends_a_command_without_a_traceback(crawl: Callable[..., Crawl]) -> None:
    one = crawl("--movies", "10")
    one.seed()
    with subprocess.Popen(
        [sys.executable, "-m", "scrapy", "status"], cwd=one.directory, env=one.environment,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as status:  # fmt: skip
        assert status.stdout and status.stderr
        status.stdout.close()
        said = status.stderr.read()
    assert (status.returncode, said) == (1, "")
