"""The short forms in which records stand in one another's lists: credits, similar movies, episodes."""

from __future__ import annotations

from tmdb_scrapy.sandbox.catalogue import words
from tmdb_scrapy.sandbox.catalogue.draws import Draw, mix, salt

GENRES = [
    (28, "Action"), (12, "Adventure"), (16, "Animation"), (35, "Comedy"), (80, "Crime"), (99, "Documentary"),
    (18, "Drama"), (10751, "Family"), (14, "Fantasy"), (36, "History"), (27, "Horror"), (10402, "Music"),
    (9648, "Mystery"), (10749, "Romance"), (878, "Science Fiction"), (10770, "TV Movie"), (53, "Thriller"),
    (10752, "War"), (37, "Western"),
]  # fmt: skip
TV_GENRES = [
    (10759, "Action & Adventure"), (16, "Animation"), (35, "Comedy"), (80, "Crime"), (99, "Documentary"),
    (18, "Drama"), (10751, "Family"), (10762, "Kids"), (9648, "Mystery"), (10763, "News"), (10764, "Reality"),
    (10765, "Sci-Fi & Fantasy"), (10766, "Soap"), (10767, "Talk"), (10768, "War & Politics"), (37, "Western"),
]  # fmt: skip
LANGUAGES = ["en", "en", "fr", "de", "ja", "hi", "es"]
_JOBS = [
    ("Directing", "Director"), ("Writing", "Screenplay"), ("Production", "Producer"), ("Sound", "Foley"),
    ("Editing", "Editor"), ("Camera", "Director of Photography"), ("Art", "Set Decoration"),
    ("Crew", "Stunts"), ("Visual Effects", "Animation"), ("Costume & Make-Up", "Makeup Artist"),
]  # fmt: skip
_MOVIES, _PEOPLE, _SERIES = salt("movies"), salt("people"), salt("tv")

Card = dict[str, object]
CREDIT_ID = "an ID of its own"
"""Stands in a card for the credit's ID, which no other credit has."""


def movie_title(seed: int, movie_id: int) -> str:
    return words.title(mix(seed, _MOVIES, movie_id, 1))


def series_name(seed: int, series_id: int) -> str:
    return words.title(mix(seed, _SERIES, series_id, 1))


def person_name(seed: int, person_id: int) -> str:
    return words.name(mix(seed, _PEOPLE, person_id, 1))


def person(seed: int, person_id: int, draw: Draw) -> Card:
    name = person_name(seed, person_id)
    return {
        "adult": False,
        "gender": draw.between(0, 2),
        "id": person_id,
        "known_for_department": draw.pick(_JOBS)[0],
        "name": name,
        "original_name": name,
        "popularity": round(draw.paretovariate(2) - 1, 4),
        "profile_path": draw.image_path(),
    }


def movie(seed: int, movie_id: int, draw: Draw) -> Card:
    title = movie_title(seed, movie_id)
    return {
        "adult": False,
        "backdrop_path": draw.image_path(),
        "genre_ids": [number for number, _ in draw.sample(GENRES, draw.between(0, 3))],
        "id": movie_id,
        "title": title,
        "original_language": draw.pick(LANGUAGES),
        "original_title": title,
        "overview": words.sentence(draw, draw.between(0, 40)),
        "popularity": round(draw.paretovariate(2) - 1, 4),
        "poster_path": draw.image_path(),
        "release_date": draw.day(1930, 2026),
        "softcore": False,
        "video": False,
        "vote_average": round(draw.uniform(0, 10), 3),
        "vote_count": int(draw.paretovariate(0.7)),
    }


def series(seed: int, series_id: int, draw: Draw) -> Card:
    name = series_name(seed, series_id)
    return {
        "adult": False,
        "backdrop_path": draw.image_path(),
        "genre_ids": [number for number, _ in draw.sample(TV_GENRES, draw.between(0, 3))],
        "id": series_id,
        "origin_country": ["US"],
        "original_language": draw.pick(LANGUAGES),
        "original_name": name,
        "overview": words.sentence(draw, draw.between(0, 40)),
        "popularity": round(draw.paretovariate(2) - 1, 4),
        "poster_path": draw.image_path(),
        "first_air_date": draw.day(1950, 2026),
        "softcore": False,
        "name": name,
        "vote_average": round(draw.uniform(0, 10), 3),
        "vote_count": int(draw.paretovariate(0.7)),
    }


def network(draw: Draw) -> Card:
    return {
        "id": draw.between(1, 6000),
        "logo_path": draw.image_path(),
        "name": words.name(draw.getrandbits(64)),
        "origin_country": "US",
    }


def in_cast(draw: Draw) -> Card:
    """What an actor's card has in a movie's credits, but for the last field, `order`."""
    return {
        "cast_id": draw.between(1, 200),
        "character": words.name(draw.getrandbits(64)),
        "credit_id": CREDIT_ID,
    }


def in_crew(draw: Draw) -> Card:
    department, job = draw.pick(_JOBS)
    return {"credit_id": CREDIT_ID, "department": department, "job": job}


def played(draw: Draw) -> Card:
    """What a movie's card has in an actor's credits, but for the last field, `order`."""
    return {"character": words.name(draw.getrandbits(64)), "credit_id": CREDIT_ID}


def played_in_series(draw: Draw) -> Card:
    first = draw.day(1990, 2026)
    return played(draw) | {"episode_count": draw.between(1, 40), "first_credit_air_date": first}


def worked_on_series(draw: Draw) -> Card:
    first = draw.day(1990, 2026)
    return in_crew(draw) | {"episode_count": draw.between(1, 40), "first_credit_air_date": first}


def roles(draw: Draw) -> Card:
    """What an actor's card has in a series' aggregate credits, but for `order`."""
    episodes = draw.between(1, 40)
    role = {
        "credit_id": CREDIT_ID,
        "character": words.name(draw.getrandbits(64)),
        "episode_count": episodes,
    }
    return {"roles": [role], "total_episode_count": episodes}


def jobs(draw: Draw) -> Card:
    """What a card has in the crew of a series' aggregate credits."""
    department, job = draw.pick(_JOBS)
    episodes = draw.between(1, 40)
    done = {"credit_id": CREDIT_ID, "job": job, "episode_count": episodes}
    return {"jobs": [done], "department": department, "total_episode_count": episodes}
