"""deploy.install.worker_settings: hosts read from their .env what the user meant."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.install.worker_settings import for_workers
from deploy.ssh.failures import FleetError
from tmdb_scrapy.config import read_env_file

ONE_LINE = st.text(st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="\u2028\u2029"))


def read_back(text: str, tmp_path: Path) -> dict[str, str]:
    path = tmp_path / "remote.env"
    path.write_text(text, encoding="utf-8")
    return read_env_file(path)


@given(value=ONE_LINE)
def test_any_value_survives_the_way(value: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    tmp_path = tmp_path_factory.mktemp("env")
    text = for_workers("redis://x", {"NEXTCLOUD_PASSWORD": value}, tmp_path / "absent")
    assert read_back(text, tmp_path)["NEXTCLOUD_PASSWORD"] == value


def test_what_only_the_driver_needs_stays_here(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text(
        "IPS=ips.txt\nREMOTE_USER=me\nREMOTE_HOST=a ; the main one\nREMOTE_WORKING_DIR=~/x\n"
        "DATA_DIR=/home/me\n"
        "TMDB_API_KEY=0123 ; from themoviedb.org\nTHREADS=7\nHTTPS_PROXY=http://proxy\n"
    )
    values = read_back(for_workers("redis://:pw@a", {"THREADS": "9", "HOME": "/root"}, env_file), tmp_path)
    assert values == {
        "TMDB_API_KEY": "0123",
        "THREADS": "9",
        "HTTPS_PROXY": "http://proxy",
        "REDIS_URL": "redis://:pw@a",
    }


@pytest.mark.parametrize(
    ("exported", "sent"), [("en_US:en", "de-DE"), ("C", "de-DE"), ("fr-FR", "fr-FR"), ("fr", "fr")]
)
def test_the_desktops_own_language_is_not_sent(exported: str, sent: str, tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("LANGUAGE=de-DE\n")
    text = for_workers("redis://x", {"LANGUAGE": exported}, env_file)
    assert read_back(text, tmp_path)["LANGUAGE"] == sent


def test_a_value_of_two_lines_is_refused_without_showing_it(tmp_path: Path) -> None:
    with pytest.raises(FleetError, match="NEXTCLOUD_PASSWORD") as refused:
        for_workers("redis://x", {"NEXTCLOUD_PASSWORD": "se\ncret"}, tmp_path / "absent")
    assert "cret" not in str(refused.value)
