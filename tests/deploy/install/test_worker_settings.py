"""deploy.install.worker_settings: hosts read from their .env what the user meant."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.install.worker_settings import for_upload, for_workers
from deploy.ssh.failures import FleetError
from tmdb_scrapy.config import Config, read_env_file
from tmdb_scrapy.values import Setting

ONE_LINE = st.text(st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="\u2028\u2029"))


def read_back(text: str, tmp_path: Path) -> dict[str, str]:
    path = tmp_path / "remote.env"
    path.write_text(text, encoding="utf-8")
    return read_env_file(path)


@given(value=ONE_LINE)
def test_any_value_survives_the_way(value: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    tmp_path = tmp_path_factory.mktemp("env")
    text = for_workers("redis://x", {"TMDB_API_KEY": value}, tmp_path / "absent").env_file
    assert read_back(text, tmp_path)["TMDB_API_KEY"] == value


def test_what_workers_have_no_use_for_stays_here(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text(
        "IPS=ips.txt\nREMOTE_USER=me\nREMOTE_HOST=a ; the main one\nREMOTE_WORKING_DIR=~/x\n"
        "DATA_DIR=/home/me\nAWS_SECRET_ACCESS_KEY=aws\nMY_OWN=1\n"
        "NEXTCLOUD_UPLOAD=https://cloud/s/1\nNEXTCLOUD_PASSWORD=open-sesame\n"
        "TMDB_API_KEY=0123 ; from themoviedb.org\nTHREADS=7\nAPPEND_TV=images\n"
    )
    environment = {"THREADS": "9", "HOME": "/root", "AWS_SESSION_TOKEN": "aws"}
    settings = for_workers("redis://:pw@a", environment, env_file)
    assert read_back(settings.env_file, tmp_path) == {
        "TMDB_API_KEY": "0123",
        "THREADS": "9",
        "APPEND_TV": "images",
        "REDIS_URL": "redis://:pw@a",
    }
    assert "0123" not in repr(settings)
    assert for_upload(environment, env_file) == {
        "NEXTCLOUD_UPLOAD": "https://cloud/s/1",
        "NEXTCLOUD_PASSWORD": "open-sesame",
    }


def test_a_secret_that_nobody_thought_of_stays_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = {**Config.settings(), "NEW_TOKEN": Setting("NEW_TOKEN", "", str, "", secret=True)}
    known["NEW_NUMBER"] = Setting("NEW_NUMBER", "", str, "")
    monkeypatch.setattr(Config, "settings", lambda: known)
    settings = for_workers("redis://x", {"NEW_TOKEN": "t", "NEW_NUMBER": "1"}, tmp_path / "absent")
    assert read_back(settings.env_file, tmp_path) == {"NEW_NUMBER": "1", "REDIS_URL": "redis://x"}
    assert {"NEW_TOKEN", "NEW_NUMBER"} <= set(settings.not_passed_on)


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy"])
def test_the_users_proxy_is_for_all_hosts_and_beats_their_own(name: str, tmp_path: Path) -> None:
    environment = {name: "http://me:pw@proxy:3128", "NO_PROXY": "a,b"}
    settings = for_workers("redis://x", environment, tmp_path / "absent")
    sent = read_back(settings.env_file, tmp_path)
    assert (sent["HTTPS_PROXY"], sent["NO_PROXY"]) == ("http://me:pw@proxy:3128", "a,b")
    assert {"HTTPS_PROXY", "https_proxy", "all_proxy", "no_proxy"} <= set(settings.not_passed_on)


def test_an_empty_variable_takes_back_what_env_says_of_proxies(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("HTTPS_PROXY=http://proxy:3128\nALL_PROXY=http://other:3128\n")
    settings = for_workers("redis://x", {"https_proxy": ""}, env_file)
    assert set(read_back(settings.env_file, tmp_path)) == {"ALL_PROXY", "REDIS_URL"}


@pytest.mark.parametrize("proxy", ["", "http://127.0.0.1:7890", "localhost:3128", "socks5://[::1]:1080"])
def test_without_one_that_hosts_can_reach_their_own_counts(proxy: str, tmp_path: Path) -> None:
    environment = {"https_proxy": proxy, "NO_PROXY": "a"}
    settings = for_workers("redis://x", environment, tmp_path / "absent")
    assert read_back(settings.env_file, tmp_path) == {"REDIS_URL": "redis://x"}
    assert not {"HTTPS_PROXY", "https_proxy", "NO_PROXY"} & set(settings.not_passed_on)


@pytest.mark.parametrize(
    ("exported", "sent"), [("en_US:en", "de-DE"), ("C", "de-DE"), ("fr-FR", "fr-FR"), ("fr", "fr")]
)
def test_the_desktops_own_language_is_not_sent(exported: str, sent: str, tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("LANGUAGE=de-DE\n")
    text = for_workers("redis://x", {"LANGUAGE": exported}, env_file).env_file
    assert read_back(text, tmp_path)["LANGUAGE"] == sent


def test_a_value_of_two_lines_is_refused_without_showing_it(tmp_path: Path) -> None:
    with pytest.raises(FleetError, match="TMDB_API_KEY") as refused:
        for_workers("redis://x", {"TMDB_API_KEY": "se\ncret"}, tmp_path / "absent")
    assert "cret" not in str(refused.value)
