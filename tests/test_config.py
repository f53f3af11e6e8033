from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy.settings import Settings

from tmdb_scrapy.config import Config, ConfigError, Secret, read_env_file, without_secrets
from tmdb_scrapy.kinds import KINDS

ROOT = Path(__file__).parents[1]
KEYS = Config.settings()
API_KEY = "0123456789abcdef" * 2
TWENTY = tuple(f"season/{number}" for number in range(20))
NOWHERE = Path("/nonexistent/.env")


def load(**environment: str) -> Config:
    return Config.load(environment, NOWHERE)


def problems_of(**environment: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(**environment)
    return caught.value.problems


def written(tmp_path: Path, text: str) -> dict[str, str]:
    file = tmp_path / ".env"
    file.write_text(text, encoding="utf-8")
    return read_env_file(file)


class TestReading:
    """Where values come from, and how `.env` may be written."""

    def test_everything_has_a_default(self) -> None:
        config = load()
        assert config.threads == 20
        assert config.rate_limit == 40.0
        assert config.filters(KINDS["movies"]) is True
        assert config.appended(KINDS["movies"]) == ("credits", "keywords", "similar", "recommendations")
        assert config.appended(KINDS["people"]) == ("movie_credits",)
        assert config.tmdb_api_key == ""

    def test_no_env_file_is_no_error(self, tmp_path: Path) -> None:
        assert read_env_file(tmp_path / ".env") == {}

    def test_the_environment_wins_over_the_file(self, tmp_path: Path) -> None:
        file = tmp_path / ".env"
        file.write_text("THREADS=7\nPROCESSES=3\n")
        config = Config.load({"THREADS": "9"}, file)
        assert (config.threads, config.processes) == (9, 3)

    def test_the_working_directory_has_the_file(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / ".env").write_text("THREADS=7\n")
        monkeypatch.chdir(tmp_path)
        assert Config.load({}).threads == 7

    @pytest.mark.parametrize(
        ("line", "value"),
        [
            ("KEY=20", "20"),
            ("KEY=20 ; concurrent requests", "20"),
            ("KEY=20\t; concurrent requests", "20"),
            ("KEY = 20 ; concurrent requests", "20"),
            ("KEY=20 # concurrent requests", "20"),
            ("KEY= ; nothing yet", ""),
            ("KEY=", ""),
            ("KEY='a b' ; quoted", "a b"),
            ('KEY="a b" ; quoted', "a b"),
            ("KEY='a ; b' ; quoted", "a ; b"),
            ('KEY="a ; b"', "a ; b"),
            ("KEY=two words ; of a password", "two words"),
            ("KEY=a;b", "a;b"),
            ("KEY=a;b ; with a semicolon of its own", "a;b"),
            ("KEY=a#b", "a#b"),
            ("KEY=$HOME", "$HOME"),
            ("KEY='${HOME}'", "${HOME}"),
            ("KEY=20\r\nOTHER=1\r", "20"),
            ("; a comment line\nKEY=20", "20"),
            ("# a comment line\n\nKEY=20", "20"),
            ("KEY=http://host/a;b?c=d ; a link", "http://host/a;b?c=d"),
            ("OTHER=\nKEY=20 ; after an empty value", "20"),
            ("OTHER= ; empty\nKEY=20 ; after an empty value", "20"),
            ("\ufeffKEY=20 ; after a byte order mark", "20"),
        ],
    )
    def test_env_file_forms(self, tmp_path: Path, line: str, value: str) -> None:
        assert written(tmp_path, line)["KEY"] == value

    @given(
        st.dictionaries(
            st.from_regex(r"[A-Z][A-Z_]{0,8}", fullmatch=True),
            st.tuples(
                st.from_regex(r"([A-Za-z0-9/:.,_-]([A-Za-z0-9/:.,_ -]*[A-Za-z0-9/:.,_-])?)?", fullmatch=True),
                st.sampled_from(["", " ; a comment", "\t; x = 'y'", ' ; "', " # a comment", " ; a ; b"]),
                st.sampled_from(["", "'", '"']),
            ),
            max_size=6,
        )
    )
    def test_any_mixture_of_forms(
        self, tmp_path_factory: pytest.TempPathFactory, lines: dict[str, tuple[str, str, str]]
    ) -> None:
        text = "\n".join(
            f"{key}={quote}{value}{quote}{comment}" for key, (value, comment, quote) in lines.items()
        )
        expected = {key: value for key, (value, _, _) in lines.items()}
        assert written(tmp_path_factory.getbasetemp(), text) == expected

    @pytest.mark.parametrize(
        ("line", "meant"),
        [
            ("THREADS='5", "THREADS=value"),
            ('REMOTE_USER="ada\nTHREADS=5', "REMOTE_USER=value"),
            ("THREADS: 5", "THREADS=value"),
            ("THREADS 5", "THREADS=value"),
            ("THREADS", "THREADS=value"),
            ("RATE-LIMIT=5", "RATE_LIMIT=value"),
            ("'5';", ""),
            ("THREADS='5';", "THREADS=value"),
            ("=5", ""),
            ("THREAD=5", "THREADS is"),
            ("THRAEDS=5", "THREADS is"),
            ("threads=5", "THREADS is"),
            ("PROCESESS=2", "PROCESSES is"),
        ],
    )
    def test_a_line_that_is_not_understood_refuses_the_file(
        self, tmp_path: Path, line: str, meant: str
    ) -> None:
        file = tmp_path / ".env"
        file.write_text(f"LANGUAGE=de\n{line}\n")
        with pytest.raises(ConfigError) as caught:
            Config.load({}, file)
        assert meant in str(caught.value)

    def test_all_lines_that_are_not_understood_are_told_at_once(self, tmp_path: Path) -> None:
        file = tmp_path / ".env"
        file.write_text("THREADS: 5\nLANGUAGE=de\nRATE_LIMIT 3\n")
        with pytest.raises(ConfigError) as caught:
            Config.load({}, file)
        assert [problem.partition(":")[0][-1] for problem in caught.value.problems] == ["1", "3"]

    def test_a_key_of_two_values_is_refused_without_either_being_told(self, tmp_path: Path) -> None:
        file = tmp_path / ".env"
        file.write_text("THREADS=5\nLANGUAGE=de\nTMDB_API_KEY=one\nTHREADS=5\nexport TMDB_API_KEY=two\n")
        with pytest.raises(ConfigError) as caught:
            Config.load({}, file)
        assert caught.value.problems == [
            f"{file}, line 5: TMDB_API_KEY has another value on line 3; keep one of them"
        ]

    @pytest.mark.parametrize("line", ["AWS_SECRET_ACCESS_KEY=x", "export THREADS=5", "EDITOR=vi", "LANG=C"])
    def test_other_programs_keys_and_exports_are_nobodys_slip(self, tmp_path: Path, line: str) -> None:
        file = tmp_path / ".env"
        file.write_text(line + "\n")
        Config.load({}, file)

    @pytest.mark.parametrize("content", [b"REMOTE_USER=\xff\xfe\n", None], ids=["not UTF-8", "a directory"])
    def test_a_file_that_cannot_be_read_is_a_problem_of_the_configuration(
        self, tmp_path: Path, content: bytes | None
    ) -> None:
        file = tmp_path / ".env"
        file.mkdir() if content is None else file.write_bytes(content)
        with pytest.raises(ConfigError, match=re.escape(".env")):
            Config.load({}, file)


class TestValues:
    """What each key allows."""

    @pytest.mark.parametrize(
        ("key", "text", "value"),
        [
            ("THREADS", "1", 1),
            ("THREADS", "10000", 10_000),
            ("THREADS", " 5 ", 5),
            ("PROCESSES", "256", 256),
            ("PROCESSES", "auto", len(os.sched_getaffinity(0))),
            ("PROCESSES", "AUTO", len(os.sched_getaffinity(0))),
            ("RATE_LIMIT", "0", 0.0),
            ("RATE_LIMIT", "0.5", 0.5),
            ("SSH_TRUST_NEW", "1", True),
            ("SSH_TRUST_NEW", "no", False),
            ("FILTER", "off", False),
            ("FILTER", "FALSE", False),
            ("FILTER", "yes", True),
            ("MIN_BUDGET", "0", 0),
            ("POPULAR_PEOPLE", "0", 0),
            ("DATA_DIR", "/mnt/big disk", Path("/mnt/big disk")),
            ("APPEND_TO_RESPONSE", "credits", ("credits",)),
            ("APPEND_TO_RESPONSE", " credits , images,", ("credits", "images")),
            ("APPEND_TV", "season/0,watch/providers", ("season/0", "watch/providers")),
            (
                "APPEND_TV",
                ",".join(f"season/{n}" for n in range(20)),
                tuple(f"season/{n}" for n in range(20)),
            ),
            ("APPEND_TO_RESPONSE", "credits,credits", ("credits",)),
            ("DATA_DIR", "~/tmdb", Path.home() / "tmdb"),
            ("TMDB_API_URL", "http://[::1]:8080/3", "http://[::1]:8080/3"),
            ("TMDB_API_KEY", "1a2b3c4d5e6f7g8h9i0j", "1a2b3c4d5e6f7g8h9i0j"),
            ("LANGUAGE", "", "en-US"),
            ("THREADS", "", 20),
            ("FILTER", "", True),
            ("DATA_DIR", "", Path("data")),
            ("TMDB_API_URL", "", "https://api.themoviedb.org/3"),
            ("LANGUAGE", "de", "de"),
            ("LANGUAGE", "de-DE", "de-DE"),
            ("LANGUAGE", "C", "en-US"),
            ("LANGUAGE", "en_US:en", "en-US"),  # gettext's, in every login's environment on Debian
            ("TMDB_API_KEY", API_KEY, API_KEY),
            ("TMDB_API_KEY", API_KEY.upper(), API_KEY.upper()),
            ("TMDB_API_KEY", "eyJhbGciOi.J9-x_y.z", "eyJhbGciOi.J9-x_y.z"),
            ("TMDB_API_URL", "http://127.0.0.1:8080/3/", "http://127.0.0.1:8080/3"),
            ("REDIS_URL", "rediss://user:p%40ss@host:6380/2", "rediss://user:p%40ss@host:6380/2"),
            ("REDIS_URL", "unix:///run/redis.sock", "unix:///run/redis.sock"),
            ("REDIS_URL", "", "redis://127.0.0.1:6379/0"),  # a line that make init has yet to fill
            ("REDIS_URL", "rediss://host?ssl_ca_certs=/ca.pem", "rediss://host?ssl_ca_certs=/ca.pem"),
            ("NEXTCLOUD_UPLOAD", "", ""),
        ],
    )
    def test_a_value_is_read_as_meant(self, key: str, text: str, value: Any) -> None:
        config = load(**{key: text})
        found = config.of_kinds[key] if key in config.of_kinds else getattr(config, key.lower())
        assert found == value

    @pytest.mark.parametrize(
        ("key", "text"),
        [
            ("THREADS", "0"),
            ("THREADS", "10001"),
            ("THREADS", "-1"),
            ("THREADS", "many"),
            ("THREADS", "1.5"),
            ("PROCESSES", "0"),
            ("PROCESSES", "257"),
            ("PROCESSES", "automatic"),
            ("RATE_LIMIT", "-1"),
            ("RATE_LIMIT", "nan"),
            ("RATE_LIMIT", "inf"),
            ("RATE_LIMIT", "1e3"),
            ("FLEET_RATE_LIMIT", "fast"),
            ("SSH_TRUST_NEW", "2"),
            ("MIN_REVENUE", "-1"),
            ("MIN_BUDGET", "1,000"),
            ("APPEND_TO_RESPONSE", "credits;keywords"),
            ("APPEND_TO_RESPONSE", ",".join(["credits"] + [f"a{'b' * n}" for n in range(20)])),
            ("APPEND_TV", ",".join(f"season/{n}" for n in range(21))),
            ("APPEND_PEOPLE", "images/"),
            ("APPEND_PEOPLE", "../configuration"),
            ("TMDB_API_URL", "http://api.themoviedb.org/3"),
            ("TMDB_API_URL", "http://10.0.0.1:8080/3"),
            ("DATA_DIR", "/tmp/\udcff"),
            ("DATA_DIR", "a\nb"),
            ("DATA_DIR", "/dev/null"),
            ("LANGUAGE", "english"),
            ("LANGUAGE", "en-us"),
            ("TMDB_API_URL", "ftp://host"),
            ("TMDB_API_URL", "api.themoviedb.org/3"),
            ("TMDB_API_URL", "https://"),
            ("TMDB_API_URL", "https://host:port/"),
            ("TMDB_API_URL", "https://host:65536/"),
        ],
    )
    def test_refused_with_key_value_and_rule(self, key: str, text: str) -> None:
        (problem,) = problems_of(**{key: text})
        assert problem.startswith(f"{key}={text!r}: must be ")

    @pytest.mark.parametrize(
        "url", ["redis://host/movies", "redis://host?db=0&foo=bar", "redis://host?socket_timeout=long"]
    )
    def test_a_redis_url_that_redis_py_would_choke_on_or_misread_is_refused(self, url: str) -> None:
        (problem,) = problems_of(REDIS_URL=url)
        assert problem.startswith("REDIS_URL: must be redis://host:port/0")

    def test_all_problems_are_told_at_once(self) -> None:
        problems = problems_of(THREADS="x", RATE_LIMIT="y", TMDB_API_KEY="z z", REDIS_URL="http://host")
        assert {problem.split("=")[0].split(":")[0] for problem in problems} == {
            "THREADS", "RATE_LIMIT", "TMDB_API_KEY", "REDIS_URL"
        }  # fmt: skip

    def test_the_message_has_every_problem(self) -> None:
        with pytest.raises(ConfigError) as caught:
            load(THREADS="x", RATE_LIMIT="y")
        assert "THREADS='x'" in str(caught.value)
        assert "RATE_LIMIT='y'" in str(caught.value)

    @pytest.mark.parametrize("filter", ["on", "off"])
    def test_the_filter_needs_credits(self, filter: str) -> None:
        environment = {"FILTER": filter, "APPEND_TO_RESPONSE": "keywords"}
        if filter == "off":
            assert load(**environment).appended(KINDS["movies"]) == ("keywords",)
        else:
            assert "credits" in problems_of(**environment)[0]

    @pytest.mark.parametrize(
        ("threads", "processes", "each"), [(20, 1, 20), (20, 3, 6), (2, 8, 1), (64, 2, 32)]
    )
    def test_workers_share_the_concurrency(self, threads: int, processes: int, each: int) -> None:
        assert load(THREADS=str(threads), PROCESSES=str(processes)).concurrency_per_worker == each

    def test_workers_share_the_rate(self) -> None:
        assert load(RATE_LIMIT="40", PROCESSES="4").rate_per_worker == 10.0

    def test_a_key_of_an_unusual_form_is_remarked_on_and_used(self) -> None:
        (remark,) = load(NEXTCLOUD_UPLOAD="http://cloud.example.org/s/token").remarks
        assert "https://" in remark and "token" not in remark
        assert load(NEXTCLOUD_UPLOAD="http://127.0.0.1:8080/s/token").remarks == ()
        (remark,) = load(TMDB_API_KEY="1a2b3c4d5e6f7g8h9i0j").remarks
        assert "unusual form" in remark
        assert "1a2b" not in remark
        assert load(TMDB_API_KEY=API_KEY).remarks == load().remarks == ()

    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o600])
    def test_a_key_that_others_can_read_is_remarked_on(self, tmp_path: Path, mode: int) -> None:
        file = tmp_path / ".env"
        file.write_text(f"TMDB_API_KEY={API_KEY}\n")
        file.chmod(mode)
        remarks = Config.load({}, file).remarks
        assert bool(remarks) == (mode != 0o600)
        assert all("TMDB_API_KEY" in remark and "chmod 600" in remark for remark in remarks)

    def test_it_is_immutable(self) -> None:
        with pytest.raises(dataclasses.FrozenInstanceError):
            load().threads = 3  # type: ignore[misc]


class TestProxies:
    """Read as every program reads them."""

    @pytest.mark.parametrize("key", ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"])
    @pytest.mark.parametrize(
        ("text", "url"),
        [
            ("http://user:pass@proxy.example:3128/", "http://user:pass@proxy.example:3128"),
            ("proxy.example:3128", "http://proxy.example:3128"),
            ("socks5h://127.0.0.1:1080", "socks5h://127.0.0.1:1080"),
            ("", ""),
        ],
    )
    def test_their_forms(self, key: str, text: str, url: str) -> None:
        assert getattr(load(**{key: text}), key.lower()) == url

    @pytest.mark.parametrize("text", ["ftp://hush.example:1", "http://", "http://x:hush", "hush me"])
    def test_what_is_none_is_refused_and_not_shown(self, text: str) -> None:
        (problem,) = problems_of(HTTPS_PROXY=text)
        assert problem.startswith("HTTPS_PROXY: must be http://user:password@host:port")
        assert "hush" not in problem

    def test_lower_case_counts_and_wins(self) -> None:
        assert load(https_proxy="a:1", no_proxy="b").https_proxy == "http://a:1"
        assert load(https_proxy="a:1", HTTPS_PROXY="c:1").https_proxy == "http://a:1"
        assert load(no_proxy="b", NO_PROXY="c").no_proxy == "b"

    def test_a_cgis_http_proxy_is_somebody_elses(self) -> None:
        """It is a request's header "Proxy": https://httpoxy.org"""
        assert load(HTTP_PROXY="evil:1", REQUEST_METHOD="GET").http_proxy == ""
        assert load(http_proxy="a:1", REQUEST_METHOD="GET").http_proxy == "http://a:1"

    def test_the_environment_wins_over_dotenv(self, tmp_path: Path) -> None:
        (tmp_path / ".env").write_text("HTTPS_PROXY=a:1\nALL_PROXY=a:2\n")
        config = Config.load({"https_proxy": "b:1"}, tmp_path / ".env")
        assert (config.https_proxy, config.all_proxy) == ("http://b:1", "http://a:2")


class TestSecrets:
    """No secret is in a text that the program makes of its configuration."""

    SECRETS: Mapping[str, str] = {
        "TMDB_API_KEY": "fedcba9876543210" * 2,
        "REDIS_URL": "redis://:redis-pass@127.0.0.1/0",
        "NEXTCLOUD_UPLOAD": "https://cloud.example.org/s/share-token",
        "NEXTCLOUD_PASSWORD": "share-pass",
        "NOTIFY_URL": "https://hooks.example.org/share-hook",
    }

    def test_the_representation_has_none(self) -> None:
        config = load(**self.SECRETS)
        for text in (repr(config), str(config), f"{config}", repr(dataclasses.asdict(config))):
            assert "fedcba98" not in text
            assert "redis-pass" not in text
            assert "share-" not in text

    def test_a_secret_is_still_usable(self) -> None:
        assert Secret("abc") + "d" == "abcd"
        assert repr([Secret("abc")]) == "[Secret('***')]"

    @pytest.mark.parametrize(
        ("key", "text", "secret"),
        [
            ("TMDB_API_KEY", "my key with a typo", "typo"),
            ("TMDB_API_KEY", "0123456789abcdef\u00e9", "0123"),
            ("REDIS_URL", "redis://:hush@host/0?decode_responses=True", "hush"),
            ("REDIS_URL", "http://:hush@host/0", "hush"),
            ("REDIS_URL", "redis://:hush/hush@host:6379/0", "hush"),
            ("REDIS_URL", "redis://:hu℀sh@host:6379/0", "hu℀sh"),
            ("REDIS_URL", "redis://:hush@host:hush/0", "hush"),
            ("REDIS_URL", "redis://:hush@[host/0", "hush"),
            ("NEXTCLOUD_UPLOAD", "cloud.example.org/s/hush", "hush"),
            ("NOTIFY_URL", "hooks.example.org/hush", "hush"),
        ],
    )
    def test_a_refused_secret_is_not_shown(self, key: str, text: str, secret: str) -> None:
        (problem,) = problems_of(**{key: text})
        assert problem.startswith(f"{key}: must be ")
        assert secret not in problem

    @pytest.mark.parametrize(
        ("url", "shown"),
        [
            ("redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/0"),
            ("redis://:pass@host:6379/0", "redis://***@host:6379/0"),
            ("rediss://user:p@ss@host/0", "rediss://***@host/0"),
            ("redis://host/0?password=pass", "redis://host/0?***"),
            ("unix://:pass@/run/redis.sock?db=1", "unix://***@/run/redis.sock?***"),
        ],
    )
    def test_urls_are_shown_without_them(self, url: str, shown: str) -> None:
        assert without_secrets(url) == shown

    def test_a_password_with_a_slash_is_not_mistaken_for_a_port(self) -> None:
        """urlsplit takes what is before the slash for host and port, and the rest for a path."""
        (problem,) = problems_of(REDIS_URL="redis://:6379/hush@host/0")
        assert "hush" not in problem


class TestCommandLine:
    """`scrapy … -s KEY=VALUE`."""

    @pytest.fixture(autouse=True)
    def _clean(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        for key in KEYS:
            monkeypatch.delenv(key, raising=False)

    def test_it_wins_over_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("THREADS", "5")
        settings = Settings()
        settings.set("THREADS", "7", priority="cmdline")
        assert Config.from_settings(settings).threads == 7

    def test_a_value_of_the_settings_page_does_not(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("THREADS", "5")
        settings = Settings()
        settings.set("THREADS", "7", priority="project")
        assert Config.from_settings(settings).threads == 5

    def test_its_values_are_checked_too(self) -> None:
        settings = Settings()
        settings.set("THREADS", "none", priority="cmdline")
        with pytest.raises(ConfigError, match="THREADS='none'"):
            Config.from_settings(settings)

    @pytest.mark.parametrize("key", ["TMDB_API_KEY", "REDIS_URL", "NEXTCLOUD_PASSWORD"])
    def test_secrets_are_refused_there(self, key: str) -> None:
        settings = Settings()
        settings.set(key, "hush-hush", priority="cmdline")
        with pytest.raises(ConfigError, match=f"{key}: must not be given with -s") as caught:
            Config.from_settings(settings)
        assert "hush-hush" not in str(caught.value)


class TestDocuments:
    """`.env.example` says what the code does; for the pages see test_documents.py."""

    @pytest.fixture(scope="class")
    def example(self, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
        """REDIS_URL included, a comment there: a line would keep `make init` from writing the fleet's."""
        text = (ROOT / ".env.example").read_text(encoding="utf-8")
        file = tmp_path_factory.mktemp("example") / ".env"
        file.write_text(text.replace("# REDIS_URL=", "REDIS_URL="), encoding="utf-8")
        return read_env_file(file)

    def test_the_example_leaves_room_for_the_fleets_redis(self) -> None:
        assert "REDIS_URL" not in read_env_file(ROOT / ".env.example")

    def test_the_example_has_every_key_and_no_other(self, example: dict[str, str]) -> None:
        assert example.keys() == KEYS.keys()

    def test_the_example_has_the_defaults(self, example: dict[str, str]) -> None:
        assert example == Config.defaults()

    def test_the_example_loads_as_it_is(self) -> None:
        assert Config.load({}, ROOT / ".env.example") == load()
