"""A proxy that is the only way out: the names that are crawled exist for it alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
import trustme
from crawl import API_KEY, Crawl
from proxy_server import PASSWORD, USER, ProxyServer

API, FILES = "api.test", "files.test"
LOGIN = f"{quote(USER, safe='')}:{quote(PASSWORD, safe='')}"


@pytest.fixture
def secured(crawl: Callable[..., Crawl], tmp_path: Path) -> Callable[..., Crawl]:
    """Makes crawls of a sandbox that has certificates for names which no DNS knows."""
    authority = trustme.CA()
    certificate = authority.issue_cert(API, FILES)
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    for number, block in enumerate(certificate.cert_chain_pems):
        block.write_to_path(tmp_path / "chain.pem", append=number > 0)

    def made(*sandbox: str, **settings: str) -> Crawl:
        tls = ("--tls-cert", str(tmp_path / "chain.pem"), "--tls-key", str(tmp_path / "key.pem"))
        return crawl(
            *sandbox, *tls, SSL_CERT_FILE=str(tmp_path / "authority.pem"),
            TMDB_API_URL=f"https://{API}/3", TMDB_EXPORT_URL=f"https://{FILES}/p/exports", **settings,
        )  # fmt: skip

    return made


def sandbox_port(made: Crawl) -> int:
    return int(made.sandbox.url.rpartition(":")[2])


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_export_and_api_go_through_one_with_a_password(secured: Callable[..., Crawl], name: str) -> None:
    behind = secured("--movies", "200")
    with ProxyServer(sandbox_port(behind)).running() as proxy:
        behind.environment[name] = f"http://{LOGIN}@127.0.0.1:{proxy.port}"
        behind.seed()
        (worker,) = behind.start()
        behind.finish()
        behind.assert_exact()
        assert set(proxy.targets) == {f"{API}:443", f"{FILES}:443"}
        assert len(proxy.targets) <= 1 + 2 * int(behind.environment["THREADS"])
        assert LOGIN not in worker.output and PASSWORD not in worker.output


def test_one_that_is_named_in_dotenv_and_speaks_socks(secured: Callable[..., Crawl]) -> None:
    behind = secured("--movies", "100")
    with ProxyServer(sandbox_port(behind), socks=True).running() as proxy:
        (behind.directory / ".env").write_text(f"HTTPS_PROXY=socks5h://127.0.0.1:{proxy.port}\n")
        behind.seed()
        behind.start()
        behind.finish()
        behind.assert_exact()
        assert f"{API}:443" in proxy.targets


@pytest.mark.slow
def test_one_that_wants_another_password_ends_the_crawl(secured: Callable[..., Crawl]) -> None:
    behind = secured("--movies", "50")
    with ProxyServer(sandbox_port(behind)).running() as proxy:
        good = f"http://{LOGIN}@127.0.0.1:{proxy.port}"
        behind.environment["HTTPS_PROXY"] = good
        behind.seed()
        (worker,) = behind.start(1, HTTPS_PROXY=good.replace(LOGIN, "user:hush-hush"))
        assert worker.wait() == 1
        assert "check HTTPS_PROXY" in worker.output
        assert "hush-hush" not in worker.output and API_KEY not in worker.output
        assert set(behind.ledger().values()) == {b"q"}


@pytest.mark.slow
@pytest.mark.parametrize("begins", [f"http://{LOGIN}@", "socks5h://"], ids=["CONNECT", "SOCKS"])
def test_one_that_dies_in_mid_crawl_is_waited_for(secured: Callable[..., Crawl], begins: str) -> None:
    behind = secured("--movies", "400", RATE_LIMIT="100")
    with ProxyServer(sandbox_port(behind), socks=begins.startswith("socks")).running() as proxy:
        behind.environment["HTTPS_PROXY"] = f"{begins}127.0.0.1:{proxy.port}"
        behind.seed()
        (worker,) = behind.start()
        behind.await_settled(100)
        proxy.close()
        worker.says("seems to be down")
        proxy.open()
        behind.finish()
        behind.assert_exact()


@pytest.mark.slow
def test_one_that_is_down_from_the_start_is_waited_for(secured: Callable[..., Crawl]) -> None:
    behind = secured("--movies", "100")
    with ProxyServer(sandbox_port(behind)).running() as proxy:
        behind.environment["HTTPS_PROXY"] = f"http://{LOGIN}@127.0.0.1:{proxy.port}"
        behind.seed()
        proxy.close()
        (worker,) = behind.start()
        worker.says("seems to be down")
        assert set(behind.ledger().values()) == {b"q"}
        proxy.open()
        behind.finish()
        behind.assert_exact()


@pytest.mark.slow
def test_one_that_wants_another_password_in_mid_crawl_is_said_and_waited_for(
    secured: Callable[..., Crawl],
) -> None:
    behind = secured("--movies", "400", RATE_LIMIT="100")
    with ProxyServer(sandbox_port(behind)).running() as proxy:
        behind.environment["HTTPS_PROXY"] = f"http://{LOGIN}@127.0.0.1:{proxy.port}"
        behind.seed()
        (worker,) = behind.start()
        behind.await_settled(100)
        proxy.close()
        proxy.knows_the_password = False
        proxy.open()
        worker.says("The proxy lets no request through")
        proxy.knows_the_password = True
        behind.finish()
        behind.assert_exact()
        assert PASSWORD not in worker.output


@pytest.fixture
def everywhere_a_dead_proxy(closed_port: int) -> dict[str, str]:
    dead = f"http://127.0.0.1:{closed_port}"
    return {"http_proxy": dead, "HTTPS_PROXY": dead, "all_proxy": dead}


def test_loopback_needs_none(crawl: Callable[..., Crawl], everywhere_a_dead_proxy: dict[str, str]) -> None:
    """Whatever the environment says: `make demo` on a machine behind a proxy."""
    near = crawl("--movies", "50")
    near.environment |= everywhere_a_dead_proxy
    near.seed()
    near.start()
    near.finish()
    near.assert_exact()
