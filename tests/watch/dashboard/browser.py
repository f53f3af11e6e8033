"""A real browser that notes what it must not meet: foreign requests, violations of the policy, errors."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from needs import needs
from playwright.sync_api import Browser, Page, sync_playwright

VIOLATIONS = """
window.violations = [];
addEventListener("securitypolicyviolation", (event) => violations.push(event.violatedDirective));
"""

Result = TypeVar("Result")


def beside(story: Coroutine[Any, Any, Result]) -> Result:
    """What `story` returns, run in another thread: in this one Playwright has its own event loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, story).result()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, without a window. As root it cannot have its own sandbox."""
    path = shutil.which("chromium")
    needs("" if path else "chromium is not installed (Debian: chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


class Viewer:
    """Somebody who looks at the page, and never reloads it."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.foreign: list[str] = []
        self.errors: list[str] = []
        page.add_init_script(VIOLATIONS)
        page.on("request", lambda request: self._requested(request.url, url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.goto(url)
        page.evaluate("window.mark = 'not reloaded'")

    def _requested(self, asked: str, url: str) -> None:
        if not asked.startswith(url):
            self.foreign.append(asked)

    def fact(self, name: str) -> int:
        """A number, as programs find it; what people read says the same."""
        found = self.page.locator(f'[data-fact="{name}"]')
        read, value = found.evaluate("(element) => [element.textContent, element.getAttribute('value')]")
        assert read.replace(",", "") == value
        return int(value)

    def sees(self, selector: str, text: str, timeout_s: float = 40.0) -> None:
        """Wait until some element of `selector` that can be seen has the text in it."""
        self.page.locator(selector).filter(has_text=text).locator("visible=true").first.wait_for(
            timeout=timeout_s * 1000
        )

    def assert_undisturbed(self) -> None:
        assert self.page.evaluate("window.mark") == "not reloaded"
        assert self.page.evaluate("window.violations") == []
        assert self.foreign == []
        assert self.errors == []


@contextmanager
def viewer(browser: Browser, url: str, **options: Any) -> Iterator[Viewer]:
    """Looks at `url` with a window of its own; `options` are those of Playwright's contexts."""
    context = browser.new_context(**options)
    try:
        yield Viewer(context.new_page(), url)
    finally:
        context.close()
