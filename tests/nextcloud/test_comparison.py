from __future__ import annotations

from pathlib import Path

import pytest

from tmdb_scrapy.nextcloud import LocalFile, Patience, Share, ShareLink
from tmdb_scrapy.nextcloud.answers import RemoteFile
from tmdb_scrapy.nextcloud.comparison import different, is_copy
from tmdb_scrapy.nextcloud.wire import Wire

SHARE = Share(Wire(ShareLink.parse("https://cloud.example/s/T0ken"), "", Patience()), (), readable=True)


@pytest.mark.parametrize(
    ("remote", "difference"),
    [
        (RemoteFile(size=1_234), "1,234 bytes, not 3"),
        (RemoteFile(size=3, sha256="0" * 64), "another checksum"),
        (RemoteFile(), "a size that the server does not tell"),
    ],
)
def test_a_different_file_is_no_copy_and_the_difference_is_told(
    tmp_path: Path, remote: RemoteFile, difference: str
) -> None:
    (tmp_path / "movies.jsonl").write_bytes(b"{}\n")
    with LocalFile(tmp_path / "movies.jsonl") as file:
        assert not is_copy(remote, file)
        assert difference in str(different(SHARE, file, "movies.jsonl", remote))
