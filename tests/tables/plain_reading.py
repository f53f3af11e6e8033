"""The tables once more, in plain Python and row by row, from the JSON itself.

Nothing of the project is used here: no shape, no SQL, no msgspec. What is compared with it was made another
way. It holds all rows in memory and takes its time.
"""

from __future__ import annotations

import datetime
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

Json = Any
Row = tuple[Any, ...]
Records = dict[str, list[Json]]
"""By kind; each record has the number of its line under LINE."""
LINE = "the line's number"
ORDER = ["movies", "people", "tv", "collections", "companies", "networks", "keywords"]


def read(directory: Path) -> Records:
    """The records of all merged files in a directory; of an ID that stands twice, the last line."""
    records: Records = {kind: [] for kind in ORDER}
    line_number = 0
    for kind in ORDER:
        path = directory / f"{kind}.jsonl"
        newest: dict[int, Json] = {}
        for line in path.read_bytes().split(b"\n") if path.exists() else []:
            if line:
                line_number += 1
                record = json.loads(line)
                record[LINE] = line_number
                newest[int(record["id"])] = record
        records[kind] = list(newest.values())
    return records


def tables(records: Records) -> dict[str, list[Row]]:
    """Every table's rows in the order of its key, columns in the order of the schema."""
    rows = {name: list(make(records)) for name, make in TABLES.items()}
    return {name: sorted(found, key=lambda row: row[: KEYS.get(name, 1)]) for name, found in rows.items()}


# What a value may be.


def whole(value: Json) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float) and not value.is_integer():
        return None
    return int(value) if -(2**63) <= value < 2**63 else None


def some(value: Json) -> int | None:
    return whole(value) or None


def number(value: Json) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) <= sys.float_info.max else None


def text(value: Json) -> str | None:
    if not isinstance(value, str) or not value:
        return None
    return "".join("\ufffd" if "\ud800" <= one <= "\udfff" else one for one in value)


def truth(value: Json) -> bool | None:
    return value if isinstance(value, bool) else None


def day(value: Json) -> datetime.date | None:
    if not isinstance(value, str) or not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        return None
    try:
        return datetime.date.fromisoformat(value)
    except ValueError:
        return None


def year(value: Json) -> int | None:
    found = day(value)
    return found.year if found else None


def at(record: Json, *path: str) -> Json:
    for step in path:
        record = record.get(step) if isinstance(record, dict) else None
    return record


def listed(record: Json, *path: str) -> list[Json]:
    found = at(record, *path)
    return found if isinstance(found, list) else []


def size(record: Json, *path: str) -> int | None:
    found = at(record, *path)
    return len(found) if isinstance(found, list) else None


# How rows are made.


def first_places(values: Iterable[Json]) -> Iterator[tuple[Json, int]]:
    """Each value but None, and the first place where it stands, from 1."""
    seen: set[Json] = set()
    for place, value in enumerate(values, 1):
        if value is not None and value not in seen:
            seen.add(value)
            yield value, place


def pairs(kind: str, read_value: Callable[[Json], Json], *path: str) -> Callable[[Records], Iterator[Row]]:
    def rows(records: Records) -> Iterator[Row]:
        for record in records[kind]:
            for value, place in first_places(map(read_value, listed(record, *path))):
                yield whole(record["id"]), value, place

    return rows


def ident(entry: Json) -> int | None:
    return whole(at(entry, "id"))


def others(kind: str, *path: str) -> Callable[[Records], Iterator[Row]]:
    def rows(records: Records) -> Iterator[Row]:
        there = {whole(record["id"]) for record in records[kind]}
        owners = records["collections"] if path == ("parts",) else records[kind]
        for record in owners:
            for value, place in first_places(map(ident, listed(record, *path))):
                yield whole(record["id"]), place, value, value in there

    return rows


def countries_of(kind: str) -> Callable[[Records], Iterator[Row]]:
    def rows(records: Records) -> Iterator[Row]:
        for record in records[kind]:
            origin = map(text, listed(record, "origin_country"))
            production = (text(at(entry, "iso_3166_1")) for entry in listed(record, "production_countries"))
            for role, codes in (("origin", origin), ("production", production)):
                for code, place in first_places(codes):
                    yield whole(record["id"]), role, code, place

    return rows


def latest(mentions: Iterable[tuple[Row, Row]]) -> Iterator[Row]:
    """Of the rows with one key, the one with the largest weight; its first place where weights are equal."""
    best: dict[Json, tuple[Row, Row]] = {}
    for weight, row in mentions:
        if row[0] is not None and (row[0] not in best or weight > best[row[0]][0]):
            best[row[0]] = (weight, row)
    return (row for _, row in best.values())


def credited(rows: Iterable[tuple[int, Row]]) -> Iterator[Row]:
    """One row a credit_id: the last line's, the first place in it."""
    return latest(((line,), row) for line, row in rows)


def movies(records: Records) -> Iterator[Row]:
    for one in records["movies"]:
        yield (
            whole(one["id"]), text(one.get("imdb_id")), text(one.get("title")),
            text(one.get("original_title")), text(one.get("original_language")),
            day(one.get("release_date")), year(one.get("release_date")), text(one.get("status")),
            some(one.get("runtime")), some(one.get("budget")), some(one.get("revenue")),
            number(one.get("popularity")), number(one.get("vote_average")), whole(one.get("vote_count")),
            whole(at(one, "belongs_to_collection", "id")), truth(one.get("adult")), truth(one.get("video")),
            text(one.get("overview")), text(one.get("tagline")), text(one.get("homepage")),
            text(one.get("poster_path")), text(one.get("backdrop_path")), size(one, "credits", "cast"),
            size(one, "credits", "crew"), whole(at(one, "similar", "total_results")),
            whole(at(one, "recommendations", "total_results")),
        )  # fmt: skip


def tv(records: Records) -> Iterator[Row]:
    for one in records["tv"]:
        yield (
            whole(one["id"]), text(one.get("name")), text(one.get("original_name")),
            text(one.get("original_language")), day(one.get("first_air_date")), day(one.get("last_air_date")),
            year(one.get("first_air_date")), text(one.get("status")), text(one.get("type")),
            truth(one.get("in_production")), whole(one.get("number_of_seasons")),
            whole(one.get("number_of_episodes")), number(one.get("popularity")),
            number(one.get("vote_average")), whole(one.get("vote_count")), truth(one.get("adult")),
            text(one.get("overview")), text(one.get("tagline")), text(one.get("homepage")),
            text(one.get("poster_path")), text(one.get("backdrop_path")),
            size(one, "aggregate_credits", "cast"), size(one, "aggregate_credits", "crew"),
            whole(at(one, "similar", "total_results")), whole(at(one, "recommendations", "total_results")),
        )  # fmt: skip


def movie_cast(records: Records) -> Iterator[Row]:
    return credited(
        (one[LINE], (text(at(entry, "credit_id")), whole(one["id"]), ident(entry), whole(at(entry, "order")),
                     text(at(entry, "character")), whole(at(entry, "cast_id"))))
        for one in records["movies"] for entry in listed(one, "credits", "cast")
    )  # fmt: skip


def movie_crew(records: Records) -> Iterator[Row]:
    return credited(
        (one[LINE], (text(at(entry, "credit_id")), whole(one["id"]), ident(entry),
                     text(at(entry, "department")), text(at(entry, "job"))))
        for one in records["movies"] for entry in listed(one, "credits", "crew")
    )  # fmt: skip


def tv_cast(records: Records) -> Iterator[Row]:
    return credited(
        (one[LINE], (text(at(role, "credit_id")), whole(one["id"]), ident(person), whole(at(person, "order")),
                     text(at(role, "character")), whole(at(role, "episode_count"))))
        for one in records["tv"] for person in listed(one, "aggregate_credits", "cast")
        for role in listed(person, "roles")
    )  # fmt: skip


def tv_crew(records: Records) -> Iterator[Row]:
    return credited(
        (one[LINE], (text(at(job, "credit_id")), whole(one["id"]), ident(person),
                     text(at(person, "department")), text(at(job, "job")), whole(at(job, "episode_count"))))
        for one in records["tv"] for person in listed(one, "aggregate_credits", "crew")
        for job in listed(person, "jobs")
    )  # fmt: skip


def tv_creators(records: Records) -> Iterator[Row]:
    return credited(
        (one[LINE], (text(at(entry, "credit_id")), whole(one["id"]), ident(entry), place))
        for one in records["tv"] for place, entry in enumerate(listed(one, "created_by"), 1)
    )  # fmt: skip


def tv_seasons(records: Records) -> Iterator[Row]:
    return credited(
        (one[LINE], (ident(entry), whole(one["id"]), whole(at(entry, "season_number")),
                     text(at(entry, "name")), day(at(entry, "air_date")), whole(at(entry, "episode_count")),
                     text(at(entry, "overview")), text(at(entry, "poster_path")),
                     number(at(entry, "vote_average"))))
        for one in records["tv"] for entry in listed(one, "seasons")
    )  # fmt: skip


def person_credits(records: Records) -> Iterator[Row]:
    def entries() -> Iterator[tuple[int, Row]]:
        for one in records["people"]:
            for entry in listed(one, "movie_credits", "cast"):
                yield one[LINE], (
                    text(at(entry, "credit_id")), whole(one["id"]), ident(entry), "cast",
                    text(at(entry, "character")), whole(at(entry, "order")), None, None,
                )  # fmt: skip
            for entry in listed(one, "movie_credits", "crew"):
                yield one[LINE], (
                    text(at(entry, "credit_id")), whole(one["id"]), ident(entry), "crew", None, None,
                    text(at(entry, "department")), text(at(entry, "job")),
                )  # fmt: skip

    return credited(entries())


def person_aliases(records: Records) -> Iterator[Row]:
    for one in records["people"]:
        for alias, place in first_places(map(text, listed(one, "also_known_as"))):
            yield whole(one["id"]), place, alias


def external_ids(records: Records) -> Iterator[Row]:
    for kind in ("movies", "people", "tv"):
        for one in records[kind]:
            found = one.get("external_ids")
            if isinstance(found, dict):
                yield (
                    kind, whole(one["id"]), text(found.get("imdb_id")), text(found.get("wikidata_id")),
                    whole(found.get("tvdb_id")),
                )  # fmt: skip


def named(own: str, width: int, *lists: tuple[str, tuple[str, ...]]) -> Callable[[Records], Iterator[Row]]:
    """A thing of which records of other kinds tell a few fields, and its own record, if it has one, more."""
    fields = ("name", "logo_path", "origin_country")[:width]

    def mentions(records: Records) -> Iterator[tuple[Row, Row]]:
        for one in records.get(own, []):
            yield weight(one, True, one[LINE]), (whole(one["id"]), *(text(one.get(key)) for key in fields))
        for kind, path in lists:
            for one in records[kind]:
                entries = [one.get("parent_company")] if path == ("parent_company",) else listed(one, *path)
                for entry in entries:
                    yield (
                        weight(entry, False, one[LINE]),
                        (ident(entry), *(text(at(entry, key)) for key in fields)),
                    )

    return lambda records: latest(mentions(records))


def weight(entry: Json, own: bool, line: int) -> Row:
    """Who is believed: who has a name, then its own record, then the later line."""
    return text(at(entry, "name")) is not None, own, line


def people(records: Records) -> Iterator[Row]:
    def told(entry: Json) -> Row:
        return (
            ident(entry), text(at(entry, "name")), text(at(entry, "original_name")),
            some(at(entry, "gender")), text(at(entry, "known_for_department")),
            number(at(entry, "popularity")), text(at(entry, "profile_path")), truth(at(entry, "adult")),
        )  # fmt: skip

    def mentions() -> Iterator[tuple[Row, Row]]:
        for one in records["people"]:
            yield (text(one.get("name")) is not None, 1, True, one[LINE]), told(one)
        for kind, part in (("movies", "credits"), ("tv", "aggregate_credits")):
            for one in records[kind]:
                for entry in [*listed(one, part, "cast"), *listed(one, part, "crew")]:
                    yield (text(at(entry, "name")) is not None, 1, False, one[LINE]), told(entry)
        for one in records["tv"]:
            for entry in listed(one, "created_by"):
                yield (text(at(entry, "name")) is not None, 0, False, one[LINE]), told(entry)

    own = {whole(one["id"]): one for one in records["people"]}
    for row in latest(mentions()):
        one = own.get(row[0], {})
        yield (
            *row[:2], row[2] or text(one.get("original_name")), *row[3:], text(one.get("imdb_id")),
            day(one.get("birthday")), day(one.get("deathday")), text(one.get("place_of_birth")),
            text(one.get("biography")), text(one.get("homepage")),
        )  # fmt: skip


def collections(records: Records) -> Iterator[Row]:
    def told(entry: Json) -> Row:
        return ident(entry), *(text(at(entry, key)) for key in ("name", "poster_path", "backdrop_path"))

    mentions = [(weight(one, True, one[LINE]), told(one)) for one in records["collections"]]
    for one in records["movies"]:
        entry = one.get("belongs_to_collection")
        mentions.append((weight(entry, False, one[LINE]), told(entry)))
    own = {whole(one["id"]): one for one in records["collections"]}
    for row in latest(mentions):
        one = own.get(row[0], {})
        yield *row, *(text(one.get(key)) for key in ("original_name", "original_language", "overview"))


def companies(records: Records) -> Iterator[Row]:
    lists = (
        ("companies", ("parent_company",)), ("movies", ("production_companies",)),
        ("tv", ("production_companies",)),
    )  # fmt: skip
    own = {whole(one["id"]): one for one in records["companies"]}
    for row in named("companies", 3, *lists)(records):
        one = own.get(row[0], {})
        parent = whole(at(one, "parent_company", "id"))
        yield *row, *(text(one.get(key)) for key in ("description", "headquarters", "homepage")), parent


def networks(records: Records) -> Iterator[Row]:
    own = {whole(one["id"]): one for one in records["networks"]}
    for row in named("networks", 3, ("tv", ("networks",)))(records):
        one = own.get(row[0], {})
        yield *row, text(one.get("headquarters")), text(one.get("homepage"))


def countries(records: Records) -> Iterator[Row]:
    def mentions() -> Iterator[tuple[Row, Row]]:
        for kind in ("movies", "tv"):
            for one in records[kind]:
                for code in listed(one, "origin_country"):
                    yield (False, 0), (text(code), None)
                for entry in listed(one, "production_countries"):
                    yield (
                        (text(at(entry, "name")) is not None, one[LINE]),
                        (text(at(entry, "iso_3166_1")), text(at(entry, "name"))),
                    )

    return latest(mentions())


def languages(records: Records) -> Iterator[Row]:
    def mentions() -> Iterator[tuple[Row, Row]]:
        for kind in ("movies", "tv"):
            for one in records[kind]:
                for entry in listed(one, "spoken_languages"):
                    english = text(at(entry, "english_name"))
                    row = (text(at(entry, "iso_639_1")), text(at(entry, "name")), english)
                    yield (english is not None, one[LINE]), row

    return latest(mentions())


def movies_flat(records: Records) -> Iterator[Row]:
    names = {
        "genres": dict(TABLES["genres"](records)),
        "keywords": dict(TABLES["keywords"](records)),
        "companies": {row[0]: row[1] for row in companies(records)},
        "countries": dict(countries(records)),
        "languages": {row[0]: row[2] for row in languages(records)},
    }

    def joined(which: str, keys: Iterable[Json]) -> str | None:
        found = [names[which][key] for key, _ in first_places(keys)]
        return ", ".join(name for name in found if name is not None) or None

    for one in records["movies"]:
        yield (
            whole(one["id"]), text(one.get("title")), number(one.get("vote_average")),
            whole(one.get("vote_count")), text(one.get("status")), day(one.get("release_date")),
            whole(one.get("revenue")) or 0, whole(one.get("runtime")) or 0, truth(one.get("adult")),
            text(one.get("backdrop_path")), whole(one.get("budget")) or 0, text(one.get("homepage")),
            text(one.get("imdb_id")), text(one.get("original_language")), text(one.get("original_title")),
            text(one.get("overview")), number(one.get("popularity")), text(one.get("poster_path")),
            text(one.get("tagline")), joined("genres", map(ident, listed(one, "genres"))),
            joined("companies", map(ident, listed(one, "production_companies"))),
            joined("countries", (text(at(e, "iso_3166_1")) for e in listed(one, "production_countries"))),
            joined("languages", (text(at(e, "iso_639_1")) for e in listed(one, "spoken_languages"))),
            joined("keywords", map(ident, listed(one, "keywords", "keywords"))),
        )  # fmt: skip


def language_code(entry: Json) -> str | None:
    return text(at(entry, "iso_639_1"))


TABLES: dict[str, Callable[[Records], Iterable[Row]]] = {
    "movies": movies,
    "movie_cast": movie_cast,
    "movie_crew": movie_crew,
    "people": people,
    "person_aliases": person_aliases,
    "person_credits": person_credits,
    "genres": named("", 1, ("movies", ("genres",)), ("tv", ("genres",))),
    "keywords": named("keywords", 1, ("movies", ("keywords", "keywords")), ("tv", ("keywords", "results"))),
    "companies": companies,
    "countries": countries,
    "languages": languages,
    "collections": collections,
    "collection_movies": others("movies", "parts"),
    "movie_genres": pairs("movies", ident, "genres"),
    "movie_keywords": pairs("movies", ident, "keywords", "keywords"),
    "movie_companies": pairs("movies", ident, "production_companies"),
    "movie_countries": countries_of("movies"),
    "movie_languages": pairs("movies", language_code, "spoken_languages"),
    "movie_similar": others("movies", "similar", "results"),
    "movie_recommendations": others("movies", "recommendations", "results"),
    "tv": tv,
    "tv_cast": tv_cast,
    "tv_crew": tv_crew,
    "tv_creators": tv_creators,
    "tv_seasons": tv_seasons,
    "networks": networks,
    "tv_genres": pairs("tv", ident, "genres"),
    "tv_keywords": pairs("tv", ident, "keywords", "results"),
    "tv_companies": pairs("tv", ident, "production_companies"),
    "tv_networks": pairs("tv", ident, "networks"),
    "tv_countries": countries_of("tv"),
    "tv_languages": pairs("tv", language_code, "spoken_languages"),
    "tv_similar": others("tv", "similar", "results"),
    "tv_recommendations": others("tv", "recommendations", "results"),
    "external_ids": external_ids,
    "movies_flat": movies_flat,
}

KEYS = {
    "movie_countries": 3, "tv_countries": 3, "external_ids": 2, "person_aliases": 2, "collection_movies": 2,
    "movie_genres": 2, "movie_keywords": 2, "movie_companies": 2, "movie_languages": 2, "movie_similar": 2,
    "movie_recommendations": 2, "tv_genres": 2, "tv_keywords": 2, "tv_companies": 2, "tv_networks": 2,
    "tv_languages": 2, "tv_similar": 2, "tv_recommendations": 2,
}  # fmt: skip
"""How many columns the key has, where it is not one."""
