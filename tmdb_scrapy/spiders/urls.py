"""URLs of the API: from an ID to its URL and back. The key is in none of them: it is added on the wire."""

from __future__ import annotations

from pathlib import PurePosixPath
from urllib.parse import urlencode, urlsplit

from tmdb_scrapy.config import Config
from tmdb_scrapy.kinds import Kind


class RecordUrls:
    """The URLs of one kind's records, by the user's configuration."""

    def __init__(self, kind: Kind, config: Config) -> None:
        query = {"language": config.language}
        if appended := config.appended(kind):
            query["append_to_response"] = ",".join(appended)
        self._start = f"{config.tmdb_api_url}/{kind.path}/"
        self._end = "?" + urlencode(query, safe=",/")

    def of(self, tmdb_id: int) -> str:
        """The URL of a record, with all that is appended."""
        return f"{self._start}{tmdb_id}{self._end}"


def id_in(url: str) -> int:
    """The TMDb ID that a URL of the API asks for. Raises `ValueError` when it has none."""
    return int(PurePosixPath(urlsplit(url).path).name)
