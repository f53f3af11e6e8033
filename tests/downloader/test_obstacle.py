"""What is in the way, in words, and how long it may be: time is passed in."""

from __future__ import annotations

import pytest

from tmdb_scrapy.downloader.obstacle import (
    FIRST_NAME,
    FROM_THE_START_S,
    LATER_S,
    SECOND_NAME,
    Hold,
    Obstacle,
    diverted,
    in_response,
    key_refused,
    not_found,
    untrusted,
    wrong_url,
)

HTML = b"<html><body>This site is blocked.</body></html>"
COUNTRY = (
    b"<?xml version='1.0'?><Error><Message>The Amazon CloudFront distribution is configured to block access "
    b"from your country.</Message></Error>"
)


@pytest.mark.parametrize(
    ("status", "location", "body", "reason"),
    [
        (302, "http://portal.example/login?key=1", b"", "redirected"),
        (301, "", b"", "redirected"),
        (307, "/elsewhere", HTML, "redirected"),
        (511, "", HTML, "login_needed"),
        (403, "", COUNTRY, "country_blocked"),
        (403, "", HTML, "page"),
        (200, "", HTML, "page"),
        (200, "", b"\xef\xbb\xbf \n<!DOCTYPE html>", "page"),
        (404, "", HTML, "page"),
        (200, "", b"", None),
        (200, "", b"[]", None),
        (403, "", b"Forbidden", None),
        (502, "", HTML, None),
        (503, "", HTML, None),
    ],
)
def test_a_response_that_is_not_the_apis_tells_what_is_in_the_way(
    status: int, location: str, body: bytes, reason: str | None
) -> None:
    found = in_response(FIRST_NAME, status, location, body)
    assert (found.reason if found else None) == reason


def test_a_redirect_names_the_host_and_nothing_else_of_its_target() -> None:
    found = in_response(FIRST_NAME, 302, "https://u:p@portal.example/x?api_key=secret", b"")
    assert found is not None
    assert "portal.example" in found.sentence
    assert "secret" not in found.sentence and "u:p" not in found.sentence


@pytest.mark.parametrize(
    "obstacle",
    [
        untrusted(FIRST_NAME, "UnknownIssuer"),
        not_found(FIRST_NAME, "Name or service not known"),
        diverted(FIRST_NAME, "127.0.0.1"),
        in_response(FIRST_NAME, 302, "", b""),
        in_response(FIRST_NAME, 403, "", COUNTRY),
        in_response(FIRST_NAME, 200, "", HTML),
    ],
)
def test_what_blocks_tmdbs_first_name_is_told_of_the_second(obstacle: Obstacle) -> None:
    assert f"TMDB_API_URL=https://{SECOND_NAME}/3" in obstacle.sentence


def test_one_who_uses_the_second_name_is_not_told_of_it() -> None:
    assert f"https://{SECOND_NAME}" not in untrusted(SECOND_NAME, "UnknownIssuer").sentence


def test_from_the_start_an_obstacle_may_last_some_seconds() -> None:
    hold, obstacle = Hold(), untrusted("x", "y")
    assert not hold.too_long(obstacle, 100.0)
    assert not hold.too_long(obstacle, 100.0 + FROM_THE_START_S - 0.1)
    assert hold.too_long(obstacle, 100.0 + FROM_THE_START_S)


def test_in_mid_crawl_it_may_last_ten_minutes_and_starts_anew_when_it_ended() -> None:
    hold, obstacle = Hold(), untrusted("x", "y")
    hold.passed()
    assert not hold.too_long(obstacle, 0.0)
    assert not hold.too_long(obstacle, LATER_S - 1)
    hold.passed()
    assert not hold.too_long(obstacle, LATER_S + 1)
    assert not hold.too_long(obstacle, 2 * LATER_S)
    assert hold.too_long(obstacle, 2 * LATER_S + 1)


def test_a_name_that_is_no_longer_found_is_an_outage() -> None:
    hold, obstacle = Hold(), not_found("x", "y")
    hold.passed()
    assert not hold.too_long(obstacle, 0.0)
    assert not hold.too_long(obstacle, 1e6)


@pytest.mark.parametrize("obstacle", [wrong_url("https://api.themoviedb.org"), key_refused()])
def test_what_cannot_be_a_moments_is_told_at_once(obstacle: Obstacle) -> None:
    assert Hold().too_long(obstacle, 0.0)
