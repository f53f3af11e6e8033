"""deploy.ssh.parallel: all hosts at once, and no host's failure stops another."""

from __future__ import annotations

import threading

from deploy.ssh.failures import HostFailure
from deploy.ssh.hosts import Host
from deploy.ssh.parallel import failed, on_each, succeeded

HOSTS = [Host(f"h{number}") for number in range(8)]


def test_results_and_failures_come_back_in_the_order_of_the_hosts() -> None:
    def work(host: Host) -> str:
        if host.address in ("h2", "h5"):
            raise OSError("unreachable")
        return host.address.upper()

    results = on_each(HOSTS, work)
    assert list(results) == HOSTS
    assert list(failed(results)) == [HOSTS[2], HOSTS[5]]
    assert succeeded(results)[HOSTS[7]] == "H7"


def test_all_hosts_are_worked_on_at_the_same_time() -> None:
    together = threading.Barrier(len(HOSTS), timeout=10)
    assert not failed(on_each(HOSTS, lambda _: together.wait()))


def test_no_more_than_allowed_are_worked_on_at_once() -> None:
    working = threading.Semaphore(3)

    def work(_: Host) -> bool:
        free = working.acquire(blocking=False)
        threading.Event().wait(0.01)
        if free:
            working.release()
        return free

    assert all(result is True for result in on_each(HOSTS, work, most_at_once=3).values())


def test_a_failure_keeps_its_own_words() -> None:
    def work(_: Host) -> None:
        raise HostFailure("no python", "install it")

    (result,) = on_each(HOSTS[:1], work).values()
    assert isinstance(result, HostFailure)
    assert (result.reason, result.advice) == ("no python", "install it")
