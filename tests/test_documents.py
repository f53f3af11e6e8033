"""The pages in docs/ and the README say what the code does."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from documents import ROOT, rows, text_of
from scrapy.settings import default_settings

import tmdb_scrapy
from tmdb_scrapy import settings as page
from tmdb_scrapy.config import Config
from tmdb_scrapy.engine.choice import COMPONENTS

OURS = {name: getattr(page, name) for name in dir(page) if name.isupper()}
BY_SPIDERS = {
    "CONCURRENT_REQUESTS",
    "CONCURRENT_REQUESTS_PER_DOMAIN",
    "TELNETCONSOLE_ENABLED",
    "TELNETCONSOLE_PASSWORD",
}
"""What `TmdbSpider.update_settings` puts over the settings page."""


class TestEnvKeys:
    KEYS = Config.settings()
    ROWS = rows(text_of("docs/settings.md"), "`.env`")

    def test_every_key_and_no_other_has_a_row(self) -> None:
        assert self.ROWS.keys() == self.KEYS.keys()

    @pytest.mark.parametrize("key", sorted(ROWS))
    def test_a_row_has_the_default_and_says_whether_it_is_secret(self, key: str) -> None:
        default, _unit, meaning = self.ROWS[key]
        assert default == self.KEYS[key].default
        assert meaning
        assert ("Secret" in meaning) == self.KEYS[key].secret

    def test_the_readmes_rows_are_some_of_them_with_the_same_defaults(self) -> None:
        readme = rows(text_of("README.md"), "Settings")
        assert len(readme) > 5
        for key, (default, _) in readme.items():
            assert default == self.KEYS[key].default, key


class TestScrapysSettings:
    ROWS = rows(text_of("docs/settings.md"), "Scrapy's settings")

    def test_every_setting_of_the_page_and_no_other_has_a_row(self) -> None:
        assert self.ROWS.keys() == OURS.keys() | BY_SPIDERS | COMPONENTS.keys()

    @pytest.mark.parametrize("name", sorted(ROWS))
    def test_a_row_has_the_value_here_and_scrapys_default(self, name: str) -> None:
        here, scrapys, _unit, meaning = self.ROWS[name]
        if name not in BY_SPIDERS:
            assert here == _shown((OURS | COMPONENTS)[name])
        assert scrapys == _shown(getattr(default_settings, name, None))
        assert meaning

    def test_what_the_spiders_put_there_has_a_row(self) -> None:
        tree = ast.parse((ROOT / "tmdb_scrapy/spiders/spider.py").read_text(encoding="utf-8"))
        put = {name for name, call in _first_arguments(tree) if call == "set"}
        assert put - {"TMDB_CONFIG"} == BY_SPIDERS


class TestStats:
    OWN = rows(text_of("docs/stats.md"), "The program's own")
    SCRAPYS = rows(text_of("docs/stats.md"), "Scrapy's")

    def test_every_stat_that_the_code_sets_and_no_other_has_a_row(self) -> None:
        set_by_code = {
            name
            for path in sorted((ROOT / "tmdb_scrapy").rglob("*.py"))
            for name, call in _first_arguments(ast.parse(path.read_text(encoding="utf-8")))
            if call in {"inc_value", "set_value", "max_value", "min_value", "count", "_count"} and "/" in name
        }
        assert set_by_code == {re.sub(r"[A-Z]+", "*", name) for name in self.OWN}

    def test_every_row_has_a_meaning(self) -> None:
        assert all(meaning for _unit, meaning in (self.OWN | self.SCRAPYS).values())


class TestPaths:
    """What the pages name is there."""

    PAGES = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/architecture.md", "deploy/README.md")

    @pytest.mark.parametrize("document", PAGES)
    def test_links_lead_to_files(self, document: str) -> None:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text_of(document)):
            if "://" not in target:
                assert ((ROOT / document).parent / target).exists(), target

    @pytest.mark.parametrize("document", PAGES)
    def test_files_and_rooms_that_are_named_exist(self, document: str) -> None:
        """`room/`, `room/file.py` and the like, from the root, from the package or from deploy/."""
        named = re.findall(r"`((?:[a-z_]+/)+(?:[a-z_]+\.(?:py|lua|sql|md|mk))?)`", text_of(document))
        for path in set(named) - {"data/"}:
            places = (ROOT, ROOT / "tmdb_scrapy", ROOT / "deploy")
            assert any((place / path).exists() for place in places), path

    @pytest.mark.parametrize("document", PAGES)
    def test_make_targets_that_are_named_exist(self, document: str) -> None:
        makefiles = text_of("Makefile") + text_of("deploy/targets.mk")
        targets = set(re.findall(r"^([a-z_-]+):", makefiles, re.M))
        named = re.findall(r"(?:`|^ {4,}|&& )make ([a-z][a-z_-]*)", text_of(document), re.M)
        assert set(named) <= targets

    def test_every_room_has_its_line_in_the_architecture(self) -> None:
        described = text_of("docs/architecture.md")
        rooms = [path.name for path in (ROOT / "tmdb_scrapy").iterdir() if (path / "__init__.py").is_file()]
        assert [room for room in rooms if f"| `{room}/` |" not in described] == []


def _shown(value: object) -> str:
    """As the tables show it."""
    if isinstance(value, dict | list):
        return "…"
    if isinstance(value, str):
        return re.sub(r"(?<=/)\d[\d.]+", "VERSION", value) if "/" in value else value
    return "" if value is None else str(value)


def _first_arguments(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """The first argument of every call that has a text there, and the name of what is called; `*` stands for
    what an f-string fills in."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
            continue
        match node.args[0]:
            case ast.Constant(value=str(text)):
                yield text, node.func.attr
            case ast.JoinedStr(values=parts):
                texts = (str(part.value) if isinstance(part, ast.Constant) else "*" for part in parts)
                yield "".join(texts), node.func.attr


def test_the_pages_name_no_other_version() -> None:
    for document in ("README.md", "CONTRIBUTING.md", "SECURITY.md"):
        for version in re.findall(r"tmdb-scrapy[ /](\d+\.\d+\.\d+)", text_of(document)):
            assert version == tmdb_scrapy.__version__


def test_there_is_a_page_for_every_file_in_docs() -> None:
    """A page that nothing leads to is not read."""
    linked = text_of("README.md") + text_of("CONTRIBUTING.md") + text_of("docs/architecture.md")
    assert [path.name for path in Path(ROOT / "docs").glob("*.md") if path.name not in linked] == []
