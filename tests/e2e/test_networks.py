"""Networks that lie from the first request on, or turn bad in mid-crawl. No ID is settled by it, workers say
what is in the way, and go on by themselves when it ends."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme
from crawl import Crawl, Worker
from needs import needs

API = "api.test"
WITH_HOSTS_OF_ITS_OWN = ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc/hosts; exec "$@"']
CRAWL = [sys.executable, "-m", "scrapy", "crawl", "movies"]
NOBODY = "127.99.99.99"
"""Refuses connections."""


def why_impossible() -> str:
    """The reason why a process cannot have an /etc/hosts of its own here; empty when it can."""
    if os.geteuid() != 0:
        return "needs root to make namespaces"
    probe = subprocess.run(["unshare", "--mount", "true"], capture_output=True)
    return "" if probe.returncode == 0 else f"namespaces are forbidden here: {probe.stderr.decode().strip()}"


class Network:
    """What lies between workers and their sandbox: a name, and the certificate that is shown under it."""

    def __init__(self, make_crawl: Callable[..., Crawl], directory: Path) -> None:
        self._directory = directory
        self._authority = trustme.CA()
        self._authority.cert_pem.write_to_path(directory / "authority.pem")
        self.leads_to("127.0.0.1")
        self.certified_by(self._authority)
        tls = ("--tls-cert", str(directory / "chain.pem"), "--tls-key", str(directory / "key.pem"))
        trust = str(directory / "authority.pem")
        self.crawl = make_crawl("--movies", "400", *tls, SSL_CERT_FILE=trust, RATE_LIMIT="100")
        port = self.crawl.sandbox.url.rpartition(":")[2]
        self.crawl.environment["TMDB_API_URL"] = f"https://{API}:{port}/3"

    def leads_to(self, address: str, name: str = API) -> None:
        """What the name means from now on. Written in place: the workers' mount is of this very file."""
        (self._directory / "hosts").write_text(f"127.0.0.1 localhost\n{address} {name}\n")

    def certified_by(self, authority: trustme.CA) -> None:
        """Whose word the server has, once it starts again."""
        certificate = authority.issue_cert(API, "127.0.0.1")
        certificate.private_key_pem.write_to_path(self._directory / "key.pem")
        chain = b"".join(block.bytes() for block in certificate.cert_chain_pems)
        (self._directory / "chain.pem").write_bytes(chain)

    def name_leads_nowhere(self) -> None:
        self.leads_to(NOBODY)
        self._cut()

    def impostor_answers(self) -> None:
        self.certified_by(trustme.CA())
        self._cut()

    def portal_opens(self) -> None:
        self.crawl.sandbox.set(faults={"portal": 1})

    def is_good_again(self) -> None:
        self.leads_to("127.0.0.1")
        self.certified_by(self._authority)
        self._cut()

    def _cut(self) -> None:
        """All connections end, as when one changes to another network."""
        self.crawl.stop_sandbox()
        self.crawl.start_sandbox()

    def start_worker(self, **settings: str) -> Worker:
        command = [*WITH_HOSTS_OF_ITS_OWN, str(self._directory / "hosts"), *CRAWL]
        return self.crawl.start_command(command, **settings)


@pytest.fixture
def network(crawl: Callable[..., Crawl], tmp_path: Path) -> Network:
    """A good one, with a seeded crawl of 400 movies."""
    needs(why_impossible())
    made = Network(crawl, tmp_path)
    made.crawl.seed()
    return made


@pytest.mark.slow
@pytest.mark.parametrize(
    ("turns_bad", "sentence"),
    [
        (Network.name_leads_nowhere, "seems to be down"),
        (Network.impostor_answers, f"The certificate that {API} shows is not trusted here"),
        (Network.portal_opens, f"{API} sends requests on to "),
    ],
)
def test_what_comes_in_mid_crawl_is_said_and_waited_out(
    turns_bad: Callable[[Network], None], sentence: str, network: Network
) -> None:
    crawl = network.crawl
    worker = network.start_worker()
    crawl.await_settled(100)
    turns_bad(network)
    worker.says("Requests wait until a probe works")
    worker.says(sentence)
    settled = crawl.settled()
    assert settled < 400
    network.is_good_again()
    crawl.finish()
    crawl.assert_exact()
    assert crawl.lost() == 0


@pytest.mark.slow
def test_a_resolver_that_lies_of_tmdb_from_the_start_ends_the_crawl(network: Network) -> None:
    network.leads_to(NOBODY, "api.themoviedb.org")
    worker = network.start_worker(TMDB_API_URL="https://api.themoviedb.org/3")
    assert worker.wait() == 1
    assert f"api.themoviedb.org is at {NOBODY}, which cannot be" in worker.output
    assert "https://api.tmdb.org/3" in worker.output
    assert set(network.crawl.ledger().values()) == {b"q"}
    assert network.crawl.asked() == 0


def test_what_no_proxy_names_is_reached_past_a_dead_proxy(network: Network, closed_port: int) -> None:
    network.start_worker(HTTPS_PROXY=f"http://127.0.0.1:{closed_port}", NO_PROXY=f"other.test,{API}")
    network.crawl.finish()
    network.crawl.assert_exact()
