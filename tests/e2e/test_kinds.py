"""Every kind of record goes the whole way, also one that is added by one file."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from crawl import Crawl
from environments import bare_environment

from tmdb_scrapy.kinds import KINDS

ROOT = Path(__file__).parents[2]
FAULTS = ("500=0.04", "reset=0.04", "truncate=0.04", "malformed=0.04", "html=0.04", "429=0.04")
REVIEWS = """
from tmdb_scrapy.kinds.kind import Kind

KIND = Kind(
    name="reviews",
    singular="review",
    path="review",
    export="review_ids",
    append_key="APPEND_REVIEWS",
)
"""


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_exact_in_spite_of_faults(crawl: Callable[..., Crawl], kind: str) -> None:
    faults = [word for fault in FAULTS for word in ("--fault", fault)]
    of_kind = crawl(f"--{kind}", "200", *faults, kind=kind, POPULAR_PEOPLE="0")
    of_kind.seed()
    of_kind.start(2)
    of_kind.finish()
    of_kind.assert_exact()
    assert of_kind.merged.read_bytes()
    assert of_kind.scrapy("retry", kind, "--missing", "--dry-run").code == 0


def test_a_kind_is_added_by_one_file(tmp_path: Path) -> None:
    """Seeded, crawled, merged and audited against the sandbox, which learns of it from that file too."""
    project = tmp_path / "project"
    for name in ("tmdb_scrapy", "deploy"):
        shutil.copytree(ROOT / name, project / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "scrapy.cfg", project)
    (project / "tmdb_scrapy" / "kinds" / "reviews.py").write_text(REVIEWS)
    environment = {**bare_environment(tmp_path), "PYTHONPATH": str(project)}

    def run(*arguments: str) -> str:
        ended = subprocess.run(
            [sys.executable, "-m", "scrapy", *arguments],
            cwd=project, env=environment, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    assert "reviews" in run("list").split()
    said = run("demo", "reviews", "--records", "60")
    assert "seeded   60 reviews" in said
    assert "export, ledger, queue and merged file agree" in said
    lines = (project / ".demo" / "data" / "reviews.jsonl").read_bytes().splitlines()
    assert 0 < len(lines) <= 60


def test_several_kinds_go_one_after_another(crawl: Callable[..., Crawl]) -> None:
    both = crawl("--keywords", "40", "--networks", "30", kind="keywords")
    assert both.scrapy("job", "keywords", "networks", timeout_s=120).code == 0
    for kind, count in (("keywords", 40), ("networks", 30)):
        assert len(both.of(kind).ledger()) == count
        both.of(kind).assert_exact()
