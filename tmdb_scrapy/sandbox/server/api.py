"""The API under /3: from a path and a query to an answer, without I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from urllib.parse import parse_qsl

from tmdb_scrapy.sandbox.catalogue.catalogue import Catalogue
from tmdb_scrapy.sandbox.server.changes import Changes
from tmdb_scrapy.sandbox.server.responses import Response, error

_KIND_OF_PATH: dict[str, str] = {"movie": "movies", "person": "people"}
_MAX_APPENDED = 20
_ID = re.compile(r"[1-9][0-9]{0,17}")
_MAX_AGE_S = 4 * 3600
_V3_KEY = re.compile(r"[0-9a-fA-F]{32}")
_READ_TOKEN = re.compile(r"eyJ[\w\-.=]+")
_CONFIGURATION = (
    b'{"change_keys":["budget","revenue","title"],"images":{"base_url":"http://image.tmdb.org/t/p/",'
    b'"secure_base_url":"https://image.tmdb.org/t/p/","backdrop_sizes":["w780","original"],'
    b'"poster_sizes":["w500","original"],"profile_sizes":["h632","original"]}}'
)
_AUTHENTICATED = b'{"success":true,"status_code":1,"status_message":"Success."}'


@dataclass(frozen=True, slots=True)
class Target:
    """What a path asks for: one record when `record_id` > 0, else what `name` says."""

    name: str
    """movies, people, or the last word of any other path that exists."""
    record_kind: str | None = None
    record_id: int = 0


@lru_cache(maxsize=256)
def parse_query(query: str) -> Mapping[str, str]:
    """The parameters; cached, since a crawl asks for every ID with the same ones."""
    return dict(parse_qsl(query, keep_blank_values=True))


def parse_path(path: str) -> Target:
    """Of a path after `/3/`."""
    first, _, rest = path.partition("/")
    record_kind = _KIND_OF_PATH.get(first)
    if record_kind and _ID.fullmatch(rest):
        return Target(record_kind, record_kind, int(rest))
    if record_kind and rest == "changes":
        return Target("changes", record_kind)
    return Target(first if not rest else "")


class Api:
    """Answers whoever has a valid key."""

    def __init__(
        self,
        catalogue: Catalogue,
        changes: Changes,
        keys: frozenset[str] = frozenset(),
        suspended: frozenset[str] = frozenset(),
    ) -> None:
        self._catalogue = catalogue
        self._changes = changes
        self._keys = keys
        self._suspended = suspended

    def key(self, query: Mapping[str, str], authorization: str) -> str:
        """The key or token that came with a request; "" if none."""
        if authorization.startswith("Bearer "):
            return authorization.removeprefix("Bearer ").strip()
        return query.get("api_key", "")

    def refusal(self, key: str, bearer: bool) -> Response | None:
        """401 for a key that may not pass; any well-formed key passes unless certain ones were named."""
        if key in self._suspended:
            return error(10)
        if self._keys:
            return None if key in self._keys else error(7)
        return None if (_READ_TOKEN if bearer else _V3_KEY).fullmatch(key) else error(7)

    def answer(self, target: Target, query: Mapping[str, str], today: date) -> Response:
        """The answer to an authorised request, before any fault."""
        if target.record_kind and target.record_id:
            return self._record(target.record_kind, target.record_id, query)
        if target.record_kind:
            return self._changes.answer(target.record_kind, query, today)
        if target.name == "authentication":
            return Response(200, _AUTHENTICATED)
        if target.name == "configuration":
            return Response(200, _CONFIGURATION, max_age_s=_MAX_AGE_S)
        return error(34)

    def _record(self, kind: str, record_id: int, query: Mapping[str, str]) -> Response:
        appended = [name for name in query.get("append_to_response", "").split(",") if name]
        if len(appended) > _MAX_APPENDED:
            return error(27)
        body = self._catalogue.body(kind, record_id, list(dict.fromkeys(appended)))
        return error(34) if body is None else Response(200, body, max_age_s=_MAX_AGE_S)
