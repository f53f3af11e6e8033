"""Generated series: TMDb's fields in TMDb's order, their seasons among what can be appended."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from tmdb_scrapy.sandbox.catalogue import cards, words
from tmdb_scrapy.sandbox.catalogue.appended import NO_CHANGES, NO_PAGE, NO_RESULTS
from tmdb_scrapy.sandbox.catalogue.draws import Draw, FewDraws, draws_for, mix
from tmdb_scrapy.sandbox.catalogue.generator import Generator, Record, encode

_MOST_SEASONS = 4
_LONG_RUNNING = 50
"""One series in so many has some thirty seasons and hundreds of credits."""
_SEASON = re.compile(r"season/(0|[1-9][0-9]*)")


class SeriesGenerator(Generator):
    """Series have one season at least, and some have specials, season 0."""

    usual_count = 300
    padded_field = "overview"
    empty: ClassVar[Mapping[str, bytes]] = {
        "alternative_titles": NO_RESULTS,
        "changes": NO_CHANGES,
        "content_ratings": NO_RESULTS,
        "episode_groups": NO_RESULTS,
        "external_ids": b'{"imdb_id":null,"freebase_mid":null,"freebase_id":null,"tvdb_id":null,'
        b'"tvrage_id":null,"wikidata_id":null,"facebook_id":null,"instagram_id":null,"twitter_id":null}',
        "images": b'{"backdrops":[],"logos":[],"posters":[]}',
        "lists": NO_PAGE,
        "reviews": NO_PAGE,
        "screened_theatrically": NO_RESULTS,
        "translations": b'{"translations":[]}',
        "videos": NO_RESULTS,
        "watch/providers": b'{"results":{}}',
    }

    def record(self, record_id: int, day: int, draw: Draw) -> Record:
        name = self.name(record_id)
        seasons = self._seasons(record_id, draw)
        aired = sorted(season["air_date"] for season in seasons)
        return {
            "adult": False,
            "backdrop_path": draw.image_path(),
            "created_by": [],
            "episode_run_time": [],
            "first_air_date": aired[0],
            "genres": [
                {"id": number, "name": genre}
                for number, genre in draw.sample(cards.TV_GENRES, draw.between(0, 3))
            ],
            "homepage": "",
            "id": record_id,
            "in_production": draw.random() < 0.3,
            "languages": ["en"],
            "last_air_date": aired[-1],
            "last_episode_to_air": None,
            "name": name,
            "next_episode_to_air": None,
            "networks": [cards.network(draw)],
            "number_of_episodes": sum(season["episode_count"] for season in seasons),
            "number_of_seasons": sum(season["season_number"] > 0 for season in seasons),
            "origin_country": ["US"],
            "original_language": draw.pick(cards.LANGUAGES),
            "original_name": name,
            "overview": words.sentence(draw, draw.between(8, 60)) if draw.random() < 0.8 else "",
            "popularity": self.popularity(record_id, day),
            "poster_path": draw.image_path(),
            "production_companies": [],
            "production_countries": [{"iso_3166_1": "US", "name": "United States of America"}],
            "seasons": seasons,
            "softcore": False,
            "spoken_languages": [{"english_name": "English", "iso_639_1": "en", "name": "English"}],
            "status": draw.pick(["Ended", "Canceled", "Returning Series"]),
            "tagline": "",
            "type": "Scripted",
            "vote_average": round(draw.uniform(0, 10), 3),
            "vote_count": int(draw.paretovariate(0.7)),
        }

    def append(self, record: Record, names: Sequence[str], day: int, bits: int) -> dict[str, bytes]:
        large = self._is_long_running(record["id"])
        counts = FewDraws(bits)
        cast, crew = (counts.between(90, 170), counts.between(40, 60)) if large else (counts.between(1, 9), 3)
        make = self.world.appended
        found: dict[str, bytes] = {}
        for name in names:
            draw = draws_for(name, bits)
            if name == "aggregate_credits":
                found[name] = make.aggregate_credits(draw, cast, crew)
            elif name == "credits":
                found[name] = make.credits(draw, cast, crew)
            elif name == "keywords":
                found[name] = make.keywords(draw, draw.between(0, 8), key=b"results")
            elif name in {"similar", "recommendations"}:
                found[name] = make.series(draw, 20 if large else draw.between(0, 2))
            elif season := _SEASON.fullmatch(name):
                found |= self._season(record, name, int(season[1]), bits)
            elif name in self.empty:
                found[name] = self.empty[name]
        return found

    def _is_long_running(self, record_id: int) -> bool:
        return not self.world.body_size and (self.population.bits(record_id) >> 32) % _LONG_RUNNING == 0

    def _seasons(self, record_id: int, draw: Draw) -> list[Record]:
        first = draw.between(0, 1)
        last = 30 if self._is_long_running(record_id) else draw.between(1, _MOST_SEASONS)
        return [
            {
                "air_date": draw.day(1950, 2026),
                "episode_count": draw.between(1, 6),
                "id": draw.between(1, 500_000),
                "name": f"Season {number}" if number else "Specials",
                "overview": "",
                "poster_path": draw.image_path(),
                "season_number": number,
                "vote_average": 0.0,
            }
            for number in range(first, last + 1)
        ]

    def _season(self, record: Record, name: str, number: int, bits: int) -> dict[str, bytes]:
        """A season with its episodes; nothing when there is none of that number. It has no ID of its own:
        that stands in the record's list of seasons."""
        season = next((one for one in record["seasons"] if one["season_number"] == number), None)
        if season is None:
            return {}
        draw = Draw(mix(bits, number))
        episodes = [
            {
                "air_date": season["air_date"],
                "episode_number": episode,
                "episode_type": "standard",
                "id": draw.between(1, 5_000_000),
                "name": words.title(draw.getrandbits(64)),
                "overview": words.sentence(draw, draw.between(0, 20)),
                "production_code": "",
                "runtime": draw.pick([None, 24, 45, 60]),
                "season_number": number,
                "show_id": record["id"],
                "still_path": draw.image_path(),
                "vote_average": 0.0,
                "vote_count": 0,
                "crew": [],
                "guest_stars": [],
            }
            for episode in range(1, season["episode_count"] + 1)
        ]
        body = {
            "_id": draw.credit_id(),
            "air_date": season["air_date"],
            "episodes": episodes,
            "name": season["name"],
            "networks": record["networks"],
            "overview": season["overview"],
            "poster_path": season["poster_path"],
            "season_number": number,
            "vote_average": season["vote_average"],
        }
        return {name: encode(body)}


GENERATOR = SeriesGenerator
