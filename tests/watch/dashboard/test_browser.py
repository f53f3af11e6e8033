"""The page in a real browser: what stands still on it, who can use it, and what a program of ours may do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import Viewer, beside, chromium, viewer
from playwright.sync_api import Browser
from samples import HOSTILE
from serving import dashboard, under_a_path

from tmdb_scrapy.config import Config
from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.queue import Heartbeat, IdQueue, Settlement, State, Traffic, connect
from tmdb_scrapy.queue.history import EXPIRY_S, MINUTES_A_DAY, day_of, minute_of
from tmdb_scrapy.queue.keys import GROUP

TOKEN = "open-sesame"
DAY_S = 86_400
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def url(config: Config, environment: dict[str, str], tmp_path: Path) -> Iterator[str]:
    """A dashboard over a crawl that stands still, with hostile workers, failures and a history."""
    beside(_still(config))
    with dashboard({**environment, "DASHBOARD_TOKEN": TOKEN}, tmp_path, "--actions") as served:
        yield served


async def _still(config: Config) -> None:
    async with connect(config) as client:
        queue = IdQueue(client, KINDS["movies"])
        await queue.seed(list(range(1, 101)))
        leases = await queue.lease("ada", 40) or []
        ends = [(State.KEPT, ""), (State.DROPPED, "budget"), (State.FAILED, HOSTILE), (State.MISSING, "")]
        await queue.settle(
            [Settlement(lease, *ends[n % 4]) for n, lease in enumerate(leases)], Traffic("ada", 44, 4, 3_000)
        )
        for name in ("ada", HOSTILE, *(f"worker-{n}" for n in range(30))):
            beat = Heartbeat(
                name=name, host=name, pid=1, state="crawling", rate_per_s=3.5, last_error=HOSTILE * 40,
                started_at=time.time() - 60, seen_at=time.time(),
            )  # fmt: skip
            await client.set(queue.keys.worker(name), msgspec.json.encode(beat), ex=600)
            await client.xgroup_createconsumer(queue.keys.queue, GROUP, name)
        now = minute_of(time.time())
        for minute in range(now - 55, now):
            key = queue.keys.history(day_of(minute))
            await client.hset(
                key, str(minute % MINUTES_A_DAY), f"{minute % 60} 90 3 1 0 180 {minute % 7} 9000"
            )
            await client.expire(key, EXPIRY_S)


def _paused(config: Config) -> float:
    async def asked() -> float:
        async with connect(config) as client:
            return (await IdQueue(client, KINDS["movies"]).snapshot()).paused_since

    return beside(asked())


def test_axe_finds_nothing(browser: Browser, url: str) -> None:
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for scheme in schemes:
        with viewer(browser, url, color_scheme=scheme, reduced_motion="reduce") as looking:
            looking.sees("[data-live]", "live")
            for fold in looking.page.locator("summary").all():
                fold.click()
            _assert_accessible(looking)
            looking.page.locator("[data-worker] a").first.click()
            looking.sees("dialog", "running for")
            _assert_accessible(looking)
            looking.assert_undisturbed()


def _assert_accessible(looking: Viewer) -> None:
    found = Axe().run(looking.page)
    assert found.violations_count == 0, found.generate_report()


def test_hostile_text_is_seen_as_text(browser: Browser, url: str) -> None:
    with viewer(browser, url) as looking:
        looking.page.on("dialog", lambda dialog: looking.errors.append(dialog.message))
        looking.sees("[data-live]", "live")
        looking.sees(f"tr:nth-child({1}) th", "a")
        looking.page.locator(".failures summary").click()
        looking.sees(".failures li", "<script>alert('x')</script>&amp;")
        looking.page.locator("[data-worker] a").first.click()
        looking.sees("dialog", "alert('x')")
        assert looking.page.locator("script").count() == 1
        looking.assert_undisturbed()


def test_without_javascript_it_is_true_and_can_be_used(browser: Browser, url: str, config: Config) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(url)
    assert page.locator('[data-fact="movies.queued"]').inner_text() == "60"
    assert page.locator('[data-fact="movies.failed"]').inner_text() == "10"
    assert page.locator("figure svg").count() == 3
    page.get_by_role("link", name="the last 24 hours").click()
    assert page.locator('[aria-current="true"]').inner_text() == "the last 24 hours"
    page.locator("[data-worker] a").first.click()
    assert "a worker that fetches movies" in page.inner_text("main")
    page.go_back()
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Pause movies").click()
    assert "movies: Paused" in page.locator(".said").inner_text()
    assert page.get_by_role("button", name="Resume movies").count() == 1
    assert _paused(config)
    context.close()


def test_by_keyboard_alone(browser: Browser, url: str, config: Config) -> None:
    with viewer(browser, url) as looking:
        looking.sees("[data-live]", "live")
        page = looking.page
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "To the figures"
        page.keyboard.press("Enter")
        _tab_to(looking, "document.activeElement.name === 'token'")
        page.keyboard.type("wrong")
        page.keyboard.press("Enter")
        looking.sees("body", "nothing was done")
        assert not _paused(config)
        page.go_back()
        _tab_to(looking, "document.activeElement.name === 'token'")
        page.keyboard.press("Control+a")
        page.keyboard.type(TOKEN)
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        looking.sees(".said", "movies: Paused")
        assert _paused(config)
        _tab_to(looking, "document.activeElement.id === 'sort-movies-0'")
        page.keyboard.press("Enter")
        _tab_to(looking, "document.activeElement.closest('[data-worker]')")
        page.keyboard.press("Enter")
        looking.sees("dialog", "running for")
        page.keyboard.press("Escape")
        assert not page.locator("dialog").is_visible()


def _tab_to(looking: Viewer, condition: str) -> None:
    for _ in range(60):
        looking.page.keyboard.press("Tab")
        if looking.page.evaluate(f"!!({condition})"):
            return
    raise AssertionError(f"sixty tabs did not lead to {condition}")


def test_workers_are_sorted_and_filtered_and_stay_so(browser: Browser, url: str) -> None:
    with viewer(browser, url) as looking:
        looking.sees("[data-live]", "live")
        page = looking.page
        page.get_by_label("Show only").fill("worker-2")
        looking.sees("[data-found]", "11 of 32")
        page.get_by_role("button", name="host").click()
        page.get_by_role("button", name="host").click()
        shown = page.locator("[data-worker]:visible th").all_inner_texts()
        assert shown == sorted(shown, reverse=True)
        page.evaluate("reload()")
        page.wait_for_function("reloaded > 0")
        assert page.locator("[data-worker]:visible th").all_inner_texts() == shown
        assert page.get_by_label("Show only").input_value() == "worker-2"
        looking.assert_undisturbed()


def test_the_cursor_of_the_keyboard_stays_where_it_is(browser: Browser, url: str) -> None:
    places = (
        ".actions button",
        ".failures summary",
        "figure:nth-of-type(2) summary",
        "section > .table",
        "th button",
    )
    with viewer(browser, url) as looking:
        looking.sees("[data-live]", "live")
        for place in places:
            looking.page.evaluate(
                "async (place) => { document.querySelector(place).focus(); reloaded = 0; await reload(); }",
                place,
            )
            stays = "(place) => document.activeElement === document.querySelector(place)"
            assert looking.page.evaluate(stays, place), place
        looking.assert_undisturbed()


def test_a_narrow_telephone_needs_no_scrolling_sideways(browser: Browser, url: str) -> None:
    options: tuple[dict[str, Any], ...] = ({}, {"forced_colors": "active"}, {"java_script_enabled": False})
    for chosen in options:
        context = browser.new_context(viewport={"width": 320, "height": 640}, **chosen)
        page = context.new_page()
        page.goto(url)
        for part in page.locator("body, header, main section, figure svg, .fact, main form").all():
            box = part.bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 320
        context.close()


def test_it_works_under_a_path_behind_a_proxy(browser: Browser, url: str, config: Config) -> None:
    with under_a_path(url) as beneath, viewer(browser, beneath) as looking:
        looking.sees("[data-live]", "live")
        assert looking.fact("movies.queued") == 60
        looking.page.get_by_role("link", name="the last 6 hours").click()
        looking.page.locator("[data-worker] a").first.click()
        looking.sees("dialog", "running for")
        looking.page.get_by_role("button", name="Close").click()
        looking.page.get_by_label("Token").fill(TOKEN)
        looking.page.get_by_role("button", name="Pause movies").click()
        looking.sees(".said", "movies: Paused")
        assert looking.page.url.startswith(beneath)
        assert _paused(config)
        assert looking.foreign == []
