"""Lines that a careless reader loses, doubles or changes."""

from __future__ import annotations

import json
from typing import Any

EVERY_ASCII = "".join(map(chr, range(128)))
TRICKY = [
    EVERY_ASCII,
    "\x00",
    "\ufeffbom \u2028 \u2029 \u0085 \u200b",
    '=HYPERLINK("http://example.org";"x")',
    'comma, "quote" ; semicolon | pipe \\ backslash \t tab \r\n line',
    "🎬 夜の海 الليل e\u0301",
    " leading and trailing ",
    "NULL",
    "null",
    "\\N",
    "'",
    '"',
    "\n",
    ",",
    "true",
    "0",
    "\U0010ffff\ufffd\ufffe",
    "%s {} $1",
]


def movie(movie_id: int, **fields: Any) -> dict[str, Any]:
    """A movie with a list of each sort, changed by `fields`."""
    person = {"gender": 2, "known_for_department": "Acting", "popularity": 1.5, "adult": False}
    return {
        "id": movie_id,
        "title": f"Movie {movie_id}",
        "release_date": "2001-02-03",
        "budget": 2_000,
        "revenue": 10_000_000,
        "runtime": 90,
        "vote_count": 0,
        "vote_average": 0.0,
        "popularity": 0.6,
        "adult": False,
        "genres": [{"id": 28, "name": "Action"}, {"id": 12, "name": "Adventure"}],
        "belongs_to_collection": {"id": 7, "name": "Seven", "poster_path": None, "backdrop_path": "/b.jpg"},
        "origin_country": ["US"],
        "production_companies": [{"id": 3, "name": "Three", "logo_path": None, "origin_country": ""}],
        "production_countries": [{"iso_3166_1": "FR", "name": "France"}],
        "spoken_languages": [{"iso_639_1": "fr", "name": "Français", "english_name": "French"}],
        "credits": {
            "cast": [
                {**person, "id": 1, "name": "One", "credit_id": f"a{movie_id:05}", "order": 0, "cast_id": 4,
                 "character": "Hero"},
                {**person, "id": 2, "name": "Two", "credit_id": f"b{movie_id:05}", "order": 1, "cast_id": 5,
                 "character": ""},
            ],
            "crew": [
                {**person, "id": 2, "name": "Two", "credit_id": f"c{movie_id:05}", "department": "Directing",
                 "job": "Director"},
                {**person, "id": 2, "name": "Two", "credit_id": f"d{movie_id:05}", "department": "Writing",
                 "job": "Screenplay"},
            ],
        },
        "keywords": {"keywords": [{"id": 9, "name": "nine"}]},
        "similar": {"results": [{"id": movie_id + 1}, {"id": 10**6}], "total_results": 50},
        "recommendations": {"results": [], "total_results": 0},
        **fields,
    }  # fmt: skip


def odd_movies() -> list[bytes]:
    """Lines, each with its newline."""
    plain = movie(1)
    without = {name: value for name, value in movie(2).items() if name in ("id", "title")}
    odd: list[dict[str, Any]] = [
        plain,
        without,
        {"id": 3},
        movie(4, **{name: None for name in plain if name != "id"}),
        movie(5, genres=[], credits={"cast": [], "crew": []}, keywords={"keywords": []},
              similar={"results": [], "total_results": 0}, origin_country=[]),
        movie(6, credits={"cast": None, "crew": None}, keywords={"keywords": None}, similar={"results": None},
              production_companies=None),
        movie(7, credits={}, keywords={}, similar={}, belongs_to_collection={}),
        movie(8, revenue=2**31, budget=2**53 + 1, runtime=2**40),
        movie(9, revenue=2**63 - 1, budget=-1),
        movie(10, revenue=2**63, budget=10**30, popularity=10**400),
        movie(11, budget=2.5, revenue=3.0, runtime="90", vote_count=True, popularity="1.5", title=12),
        movie(12, genres={"id": 1}, credits=[], keywords="none", similar=0, origin_country="US"),
        movie(13, genres=[None, 5, {"id": None, "name": "None"}, {"name": "no id"}, {"id": 99}, {"id": 28}]),
        movie(14, genres=[{"id": 12, "name": "Adventure"}] * 3 + [{"id": 28, "name": "Action"}]),
        movie(15, similar={"results": [{"id": 1}, {"id": 1}, {"id": 999}, None, {"id": 15}, {"id": 2}],
                           "total_results": 6}),
        movie(16, nobody_knows={"this": [1, 2]}, ID=5, Title="other case", line=3, answered="later"),
        movie(17, genres=[{"id": 28, "name": "Actions!"}], production_companies=[{"id": 3, "name": ""}]),
        movie(18, production_companies=[{"id": 3, "name": "Three, later", "logo_path": "/l.png"}]),
        movie(19, origin_country=["FR", "", None, "DE", "FR"], production_countries=[{"iso_3166_1": "DE"}]),
        movie(20, spoken_languages=[{"iso_639_1": "", "name": ""}, {"iso_639_1": "xx"}, {"name": "nothing"}]),
        movie(21, title="", overview="", tagline=" ", imdb_id="", adult=None),
        movie(22, belongs_to_collection={"id": 7, "name": "Seven, later"}),
        movie(23, credits={"cast": [{"id": 1, "credit_id": "double", "name": "One, later"},
                                    {"id": 2, "credit_id": "double"}, {"id": 5, "credit_id": None},
                                    {"id": 6}, {"credit_id": "nobody", "character": "?"}, {}, None]}),
        movie(24, credits={"cast": [{"id": 1, "credit_id": "double", "gender": 0, "name": "One, last"}],
                           "crew": [{"id": 1, "credit_id": "double", "job": "Director"}]}),
        movie(25, vote_average=7, popularity=1e-300, vote_count=3),
        movie(2**53 + 7, title="a large ID"),
        movie(26, similar={"results": [{"id": 2**40}], "total_results": 2**40}),
        movie(27, external_ids={"imdb_id": "tt0000001", "wikidata_id": "Q1", "tvdb_id": None}),
        movie(28, external_ids={}),
        movie(29, external_ids=None),
    ]  # fmt: skip
    dates = [
        "2024-02-29", "2023-02-29", "2024-02-30", "epoch", "infinity", "-infinity", "0000-01-01",
        "0001-01-01", "9999-12-31", "10000-01-01", "2024-1-1", "20240101", "2024-W01-1",
        "2024-01-01T00:00:00", " 2024-01-01", "2024-01-01 ", "10/12/2009", "", "2024", "2024-01",
        "-2024-01-01", "２０２４-01-01", "2024-01-01 (BC)", "1582-10-10",
        "2024-13-01", 20240101, ["2024-01-01"],
    ]  # fmt: skip
    odd += [movie(100 + number, release_date=date) for number, date in enumerate(dates)]
    odd += [
        movie(
            200 + number,
            title=text,
            overview=text,
            keywords={"keywords": [{"id": 1000 + number, "name": text}]},
        )
        for number, text in enumerate(TRICKY)
    ]
    lines = [json.dumps(one).encode() for one in odd]
    lines += [
        json.dumps(one, ensure_ascii=False).encode() for one in odd[-len(TRICKY) :]
    ]  # the same IDs again
    lines += [
        b'{"id":300,"title":"half a pair \\ud83d","overview":"\\udfac and \\ud83c\\udfac"}',
        b'{"id":301,"title":"first","title":"second","budget":1,"budget":2.5,"id":301}',
        b' {"id":302,"title":"spaces around"} ',
        b'{"id":303.0,"title":"a whole number with a point","revenue":1e7}',
        b'{"id":304,"a":' + b"[" * 50 + b"]" * 50 + b"}",
        json.dumps(movie(1, title="Movie 1 again", genres=[])).encode(),
    ]
    return [line + b"\n" for line in lines]


def odd_people() -> list[bytes]:
    credit = {"id": 1, "credit_id": "p1", "character": "Hero", "order": 0}
    people: list[dict[str, Any]] = [
        {"id": 1, "name": "One herself", "gender": 1, "birthday": "1955-03-19", "deathday": None,
         "also_known_as": ["Uno", "", None, "Uno", "Eins"],
         "movie_credits": {"cast": [credit, {**credit, "credit_id": "p2", "id": 77, "order": None}],
                           "crew": [{"id": 1, "credit_id": "p3", "department": "Writing", "job": "Story"}]}},
        {"id": 40, "name": "", "gender": 0, "also_known_as": None, "movie_credits": None},
        {"id": 41},
        {"id": 42, "name": "Forty-two", "birthday": "epoch", "deathday": "0000-00-00", "biography": "",
         "movie_credits": {"cast": None, "crew": [None, {}]}, "external_ids": {"tvdb_id": 5}},
        {"id": 43, "name": 5, "gender": "2", "also_known_as": "x", "movie_credits": {"cast": [credit]}},
    ]  # fmt: skip
    return [json.dumps(person).encode() + b"\n" for person in people]
