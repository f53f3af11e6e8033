"""The API: from a path and a query to a response, without I/O."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qsl

from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.sandbox.catalogue.appended import splice
from tmdb_scrapy.sandbox.catalogue.draws import mix, unit
from tmdb_scrapy.sandbox.server.calendar import Calendar
from tmdb_scrapy.sandbox.server.changes import Changes
from tmdb_scrapy.sandbox.server.discover import Discover
from tmdb_scrapy.sandbox.server.responses import Response, error
from tmdb_scrapy.sandbox.server.settings import Settings

_VERSION = "/3/"
_KIND_OF_PATH = {kind.path: kind for kind in KINDS.values()}
_MOST_APPENDED = 20
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
_NOT_FOUND = error(34).body


@dataclass(frozen=True, slots=True)
class Target:
    """What a path asks for."""

    name: str
    """The kind, where one record is asked for; else changes, discover, configuration, …; "" for a path that
    there is not."""
    kind: str = ""
    """Of the record, the changes or the list."""
    record_id: int = 0


NOWHERE = Target("")


@lru_cache(maxsize=256)
def parse_query(query: str) -> Mapping[str, str]:
    """The parameters; cached, since a crawl asks for every ID with the same ones."""
    return dict(parse_qsl(query, keep_blank_values=True))


def parse_path(path: str) -> Target:
    """Of a whole path. TMDb has the same 404 for one outside /3 as for a record that it does not have."""
    if not path.startswith(_VERSION):
        return NOWHERE
    first, _, rest = path[len(_VERSION) :].partition("/")
    kind = _KIND_OF_PATH.get(first)
    if kind and _ID.fullmatch(rest):
        return Target(kind.name, kind.name, int(rest))
    if kind and kind.has_changes and rest == "changes":
        return Target("changes", kind.name)
    listed = _KIND_OF_PATH.get(rest) if first == "discover" else None
    if listed and listed.discovered_from:
        return Target("discover", listed.name)
    return Target(first) if not rest else NOWHERE


class Api:
    """Serves whoever has a valid key. `settings` returns the present ones."""

    def __init__(
        self,
        calendar: Calendar,
        seed: int,
        settings: Callable[[], Settings],
        keys: frozenset[str] = frozenset(),
        suspended: frozenset[str] = frozenset(),
    ) -> None:
        self._calendar = calendar
        self._seed = seed
        self._settings = settings
        self._changes = Changes(calendar, seed, settings)
        self._discover = Discover(calendar, seed, settings)
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

    def respond(self, target: Target, query: Mapping[str, str]) -> Response:
        """To an authorised request for anything but a record."""
        match target.name:
            case "changes":
                return self._changes.respond(target.kind, query)
            case "discover":
                return self._discover.respond(target.kind, query)
            case "authentication":
                return Response(200, _AUTHENTICATED)
            case "configuration":
                return Response(200, _CONFIGURATION, max_age_s=_MAX_AGE_S)
            case _:
                return error(34)

    def record(
        self, target: Target, appended: Sequence[str], without: Sequence[str] = (), broken: Sequence[str] = ()
    ) -> Response:
        """A record with what is `appended`, less the names that are left out, an error in place of those that
        are broken."""
        if len(appended) > _MOST_APPENDED:
            return error(27)
        names: Sequence[str] = list(dict.fromkeys(appended))
        if without or broken:
            names = [name for name in names if name not in without and name not in broken]
        catalogue = self._calendar.catalogue(self._day_served(target))
        body = catalogue.body(target.kind, target.record_id, names)
        if body is None:
            return error(34)
        errors = {name: _NOT_FOUND for name in dict.fromkeys(appended) if name in broken}
        return Response(200, splice(body, errors), max_age_s=_MAX_AGE_S)

    def _day_served(self, target: Target) -> int:
        """The present day, or for a share of the records the day before: a cache has not seen the newest."""
        day, stale = self._calendar.day, self._settings().stale_records
        if not stale or unit(mix(self._seed, target.record_id, day)) >= stale:
            return day
        return day - 1


def appended_names(query: Mapping[str, str]) -> list[str]:
    return [name for name in query.get("append_to_response", "").split(",") if name]
