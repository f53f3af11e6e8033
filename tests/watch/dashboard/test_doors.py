"""Who may see the dashboard, and who may act on it."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tmdb_scrapy.config import Secret
from tmdb_scrapy.values import is_loopback
from tmdb_scrapy.watch.dashboard.doors import Doors, is_from_here

TOKEN = "sésame, ouvre-toi"


def doors(host: str = "127.0.0.1", token: str = TOKEN, actions: bool = False) -> Doors:
    return Doors(host, Secret(token), actions)


def basic(password: str, user: str = "anybody") -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


@pytest.mark.parametrize(
    ("host", "token", "actions", "problem"),
    [
        ("127.0.0.1", "", False, ""),
        ("::1", "", False, ""),
        ("localhost", "", False, ""),
        ("0.0.0.0", "", False, "DASHBOARD_TOKEN"),
        ("::", "", False, "DASHBOARD_TOKEN"),
        ("10.0.0.5", "", False, "DASHBOARD_TOKEN"),
        ("crawler.example", "", False, "DASHBOARD_TOKEN"),
        ("0.0.0.0", TOKEN, False, ""),
        ("127.0.0.1", "", True, "--actions needs DASHBOARD_TOKEN"),
        ("127.0.0.1", TOKEN, True, ""),
    ],
)
def test_what_needs_a_token_is_refused_without(host: str, token: str, actions: bool, problem: str) -> None:
    found = doors(host, token, actions).problem()
    assert problem in found
    assert bool(found) == bool(problem)


@pytest.mark.parametrize(
    ("header", "admitted"),
    [
        ("127.0.0.1:8632", True),
        ("localhost", True),
        ("LOCALHOST:1", True),
        ("[::1]:8632", True),
        ("192.168.1.9:8632", True),
        ("evil.example", False),
        ("evil.example:8632", False),
        ("127.0.0.1.evil.example", False),
        ("localhost.evil.example", False),
        ("evil.example@127.0.0.1", False),
        ("", False),
        ("[::1", False),
        ("a b", False),
    ],
)
def test_a_name_that_is_not_its_own_is_no_way_in(header: str, admitted: bool) -> None:
    """DNS rebinding: a name of an attacker's that leads here."""
    assert doors().admits_host(header) is admitted


def test_the_name_that_it_listens_on_is_one_of_its_own() -> None:
    assert doors("Crawler.example").admits_host("crawler.example:8632")


@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.5"])
def test_beyond_loopback_who_looks_needs_the_token(host: str) -> None:
    open_to_all = doors(host)
    assert not open_to_all.knows_viewer({})
    assert not open_to_all.knows_viewer({"Authorization": "Bearer wrong"})
    assert not open_to_all.knows_viewer(basic("wrong"))
    assert not open_to_all.knows_viewer({"Authorization": "Basic !!!"})
    assert not open_to_all.knows_viewer({"Authorization": "Basic /w=="})
    assert open_to_all.knows_viewer({"Authorization": f"Bearer {TOKEN}"})
    assert open_to_all.knows_viewer(basic(TOKEN))


def test_on_loopback_everybody_of_this_machine_may_look() -> None:
    assert doors(token="").knows_viewer({})


@pytest.mark.parametrize(
    "told", ["Bearer \udcff\udcfe", "Basic \udcff", "Basic é", "Basic /w==", "Basic =", "Basic"]
)
def test_what_is_no_text_is_no_token(told: str) -> None:
    """Half a character is what aiohttp makes of a byte in a header that is none."""
    assert not doors("10.0.0.5").knows_viewer({"Authorization": told})


def test_no_token_is_nobodys_token() -> None:
    assert not doors(token="").is_token("")
    assert doors().is_token(TOKEN)
    assert not doors().is_token(TOKEN + " ")


@pytest.mark.parametrize(
    ("headers", "from_here"),
    [
        ({}, True),
        ({"Origin": "http://127.0.0.1:8632"}, True),
        ({"Origin": "http://127.0.0.1:9"}, False),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "http://["}, False),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://behind.a.proxy.example"}, True),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://127.0.0.1:9"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1:8632"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
    ],
)
def test_what_another_site_sends_changes_nothing(headers: dict[str, Any], from_here: bool) -> None:
    assert is_from_here({"Host": "127.0.0.1:8632", **headers}) is from_here


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_loopback(host: str) -> None:
    assert is_loopback(host)
    assert not is_loopback(f"1{host}")
