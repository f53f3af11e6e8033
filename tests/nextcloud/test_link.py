from __future__ import annotations

import pytest

from tmdb_scrapy.config import ConfigError
from tmdb_scrapy.nextcloud import ShareLink

TOKEN = "Qq7wErTy12345zX"


@pytest.mark.parametrize(
    ("link", "base_url"),
    [
        (f"https://cloud.example/s/{TOKEN}", "https://cloud.example"),
        (f"https://cloud.example/index.php/s/{TOKEN}", "https://cloud.example"),
        (f"https://cloud.example/nextcloud/s/{TOKEN}", "https://cloud.example/nextcloud"),
        (f"https://cloud.example/a/b/index.php/s/{TOKEN}", "https://cloud.example/a/b"),
        (f"https://cloud.example/s/s/{TOKEN}", "https://cloud.example/s"),
        (f"https://cloud.example/{TOKEN}", "https://cloud.example"),
        (f"https://cloud.example:8443/s/{TOKEN}/", "https://cloud.example:8443"),
        (f"https://cloud.example/s/{TOKEN}/download", "https://cloud.example"),
        (f"https://cloud.example/s/{TOKEN}/download/movies.jsonl", "https://cloud.example"),
        (f"https://cloud.example/s/{TOKEN}/download?path=%2F&files=a.txt", "https://cloud.example"),
        (f"https://cloud.example/s/{TOKEN}?path=/folder#top", "https://cloud.example"),
        (f"https://cloud.example/s/{TOKEN}/authenticate/showShare", "https://cloud.example"),
        (f"https://cloud.example/index.php/s/{TOKEN}?dir=/folder&openfile=7", "https://cloud.example"),
        (f"http://[::1]:8080/s/{TOKEN}", "http://[::1]:8080"),
    ],
)
def test_every_form_of_a_link_is_read(link: str, base_url: str) -> None:
    parsed = ShareLink.parse(link)
    assert (parsed.base_url, parsed.token) == (base_url, TOKEN)


@pytest.mark.parametrize(
    ("shown", "folder"),
    [
        ("", ()),
        ("/", ()),
        ("?path=/", ()),
        ("?path=", ()),
        ("?path", ()),
        ("?path=/sub", ("sub",)),
        ("?path=%2Fsub", ("sub",)),
        ("?path=sub/", ("sub",)),
        ("?path=//sub//deeper/", ("sub", "deeper")),
        ("?dir=/sub", ("sub",)),
        ("?dir=%2Fa%2Fb%20c", ("a", "b c")),
        ("?dir=/a+b%2Bc", ("a b+c",)),
        ("?dir=/%C3%A4%23%3F%26%25", ("ä#?&%",)),
        ("?dir=/%2541", ("%41",)),
        ("?dir=/...", ("...",)),
        ("?dir=/sub&path=/sub", ("sub",)),
        ("?openfile=12&dir=/sub&sort=name", ("sub",)),
        ("?view=grid&Path=/other&folder=/other", ()),
        ("?name=%FF", ()),
        ("/download?path=%2Fsub&files=a.txt", ("sub",)),
        ("/download/a.txt?path=/sub", ("sub",)),
        ("#?path=%2Fsub", ("sub",)),
        ("#top", ()),
        ("?path=/sub#top", ("sub",)),
    ],
)
def test_the_folder_that_the_link_shows_is_read(shown: str, folder: tuple[str, ...]) -> None:
    assert ShareLink.parse(f"https://cloud.example/s/{TOKEN}{shown}").folder == folder


@pytest.mark.parametrize("key", ["path", "dir"])
@pytest.mark.parametrize(
    "folder", ["..", "/..", "/a/../b", "/%2E%2E/b", "/a%2F..%2Fb", "/./a", "/a\\b", "/a%00", "/a%0Ab", "/%FF"]
)
def test_a_folder_that_no_share_has_is_refused(key: str, folder: str) -> None:
    with pytest.raises(ConfigError, match="NEXTCLOUD_UPLOAD names a folder"):
        ShareLink.parse(f"https://cloud.example/s/{TOKEN}?{key}={folder}")


def test_two_folders_are_refused() -> None:
    with pytest.raises(ConfigError, match="two folders"):
        ShareLink.parse(f"https://cloud.example/s/{TOKEN}?path=/a&dir=/b")


@pytest.mark.parametrize("token", ["a", "team-movies_2026", "x" * 64])
def test_tokens_that_people_chose_themselves_are_accepted(token: str) -> None:
    assert ShareLink.parse(f"https://cloud.example/s/{token}").token == token


@pytest.mark.parametrize(
    "link",
    [
        "",
        "cloud.example/s/Secr3tTok3n",
        "ftp://cloud.example/s/Secr3tTok3n",
        "https:///s/Secr3tTok3n",
        "https://cloud.example",
        "https://cloud.example/s",
        "https://cloud.example/apps/files/Secr3tTok3n",
        "https://cloud.example/index.php/apps/files_sharing/publicpreview/Secr3tTok3n?file=/sub/a.png",
        "https://cloud.example/s/Secr3tTok3n/sub",
        "https://cloud.example/s/Secr3tTok3n%2F..",
        "https://cloud.example/s/Secr3tTok3n;rm",
        "https://cloud.example/s/Secr3tTok3n" + "x" * 64,
        "https://user:passw0rd@cloud.example/s/Secr3tTok3n",
    ],
)
def test_other_links_are_refused_without_quoting_them(link: str) -> None:
    with pytest.raises(ConfigError) as caught:
        ShareLink.parse(link)
    assert "NEXTCLOUD_UPLOAD" in str(caught.value)
    assert "Secr3t" not in str(caught.value)
    assert "passw0rd" not in str(caught.value)


def test_the_token_is_not_in_the_repr() -> None:
    assert TOKEN not in repr(ShareLink.parse(f"https://cloud.example/s/{TOKEN}"))
