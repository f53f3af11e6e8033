"""The distribution: one version, every file that is needed, pins that agree."""

from __future__ import annotations

import re
import tomllib
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

import tmdb_scrapy
from deploy.install.project_release import pack
from tmdb_scrapy import settings
from tmdb_scrapy.engine.choice import TESTED_WITH

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    """What pyproject.toml says."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


class TestVersion:
    def test_nothing_else_in_the_code_says_it(self) -> None:
        said = [
            path.relative_to(ROOT)
            for directory in ("tmdb_scrapy", "deploy", "benchmarks")
            for path in sorted((ROOT / directory).rglob("*.py"))
            if re.search(rf"[\"'/-]{re.escape(tmdb_scrapy.__version__)}\b", path.read_text(encoding="utf-8"))
        ]
        assert said == [Path("tmdb_scrapy/__init__.py")]

    def test_the_package_asks_for_it(self, project: dict[str, Any]) -> None:
        assert "version" not in project["project"]
        assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "tmdb_scrapy.__version__"}

    def test_the_changelog_has_it(self) -> None:
        headings = re.findall(r"^## (.*)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)
        assert any(tmdb_scrapy.__version__ in heading for heading in headings)

    def test_a_release_on_hosts_begins_with_it(self) -> None:
        assert pack().version.startswith(f"{tmdb_scrapy.__version__}-")

    def test_the_user_agent_names_this_program_and_it(self) -> None:
        """RFC 9110, section 10.1.5: product "/" version, and no other program's."""
        assert settings.USER_AGENT.split("/") == ["tmdb-scrapy", tmdb_scrapy.__version__]


def test_every_file_beside_the_modules_is_in_the_wheel(project: dict[str, Any]) -> None:
    """An editable installation hides that one is missing. A pattern is that of a package's own directory."""
    patterns = project["tool"]["setuptools"]["package-data"]
    for package in ("tmdb_scrapy", "deploy"):
        for path in (ROOT / package).rglob("*"):
            if path.is_dir() or path.suffix in {".py", ".pyc"} or path.name in {"README.md", "targets.mk"}:
                continue
            named = ".".join(path.parent.relative_to(ROOT).parts)
            globs = [*patterns["*"], *patterns.get(named, [])]
            assert any(path.match(glob) for glob in globs), path


def test_the_licence_is_there_and_in_the_wheel(project: dict[str, Any]) -> None:
    assert project["project"]["license"] == "MIT"
    for name in project["project"]["license-files"]:
        assert (ROOT / name).read_text(encoding="utf-8").startswith("MIT License")


class TestPins:
    @pytest.fixture(scope="class")
    def constrained(self) -> dict[str, str]:
        """constraints.txt: package → version."""
        lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        pairs = (line.split(";")[0].split("==") for line in lines if line and not line.startswith("#"))
        return {_normalised(name): version.strip() for name, version in pairs}

    def test_every_dependency_is_pinned_as_in_the_constraints(
        self, project: dict[str, Any], constrained: dict[str, str]
    ) -> None:
        told = project["project"]
        for requirement in chain(told["dependencies"], *told["optional-dependencies"].values()):
            name, pinned, version = requirement.split(";")[0].strip().partition("==")
            if name.startswith("tmdb-scrapy[") or requirement.startswith("scrapy>="):
                continue
            assert pinned, f"{requirement} has no version"
            assert constrained.get(_normalised(name)) == version, requirement

    def test_scrapys_next_releases_may_come_and_the_tested_one_is_in_the_constraints(
        self, project: dict[str, Any], constrained: dict[str, str]
    ) -> None:
        assert "scrapy>=2.19,<3" in project["project"]["dependencies"]
        assert constrained["scrapy"] in TESTED_WITH


def _normalised(name: str) -> str:
    """https://packaging.python.org/en/latest/specifications/name-normalization/"""
    return re.sub(r"[-_.]+", "-", name).lower()
