"""What the server answers: movies of the sandbox's catalogue, in one of two mixes of sizes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from isal import igzip

from tmdb_scrapy.sandbox.catalogue.generated import GeneratedCatalogue

APPENDED = ["credits", "keywords", "similar", "recommendations"]
SEED = 5
GZIP_LEVEL = 2


def catalogue_size(movies: int) -> int:
    """How many movies a catalogue needs so that `movies` of them exist and are of ordinary size."""
    return 2 * movies + 100


@dataclass(frozen=True, slots=True)
class Mix:
    """A distribution of body sizes. `fixed_bytes` 0: as on TMDb, most have 2-6 KB, 1 % near 190 KB."""

    name: str
    fixed_bytes: int = 0

    def catalogue(self, movies: int) -> GeneratedCatalogue:
        return GeneratedCatalogue({"movies": movies}, SEED, self.fixed_bytes)

    def movies(self, count: int) -> Iterator[tuple[int, bytes]]:
        """The first `count` IDs that exist and have the right size, with their bodies."""
        catalogue = self.catalogue(catalogue_size(count))
        pairs = ((number, catalogue.body("movies", number, APPENDED)) for number in catalogue.ids("movies"))
        fitting = (
            (number, body)
            for number, body in pairs
            if body is not None and (not self.fixed_bytes or len(body) == self.fixed_bytes)
        )
        return itertools.islice(fitting, count)

    def kept(self, ids: list[int]) -> set[int]:
        """Those of `ids` that the filter has to keep, by the catalogue, not by our filter."""
        catalogue = self.catalogue(catalogue_size(len(ids)))
        return {number for number in ids if catalogue.outcome("movies", number) == "kept"}


TMDB_LIKE = Mix("mixed")
UNIFORM = Mix("26 KB", 26_000)


def write_gzipped(mix: Mix, count: int, root: Path) -> list[int]:
    """Lay the bodies out as `root`/3/movie/ID.gz for nginx; answers the IDs. Some 4,000 bodies a second."""
    directory = root / "3" / "movie"
    directory.mkdir(parents=True, exist_ok=True)
    ids = []
    for number, body in mix.movies(count):
        (directory / f"{number}.gz").write_bytes(igzip.compress(body, GZIP_LEVEL))
        ids.append(number)
    return ids
