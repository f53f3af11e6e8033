"""Neo4j: the CSV files of `neo4j-admin database import` with the command that imports them, and the two files
that tmdb-to-neo4j, the consumer of the original program, reads.

A file in `nodes` is named as its label, one in `relationships` as its type; each holds the SELECT whose
columns are the import's header. https://neo4j.com/docs/operations-manual/current/import/
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.tables.engine import name, quoted
from tmdb_scrapy.tables.formats.neo4j.consumer import write_actors, write_movies
from tmdb_scrapy.tables.schema import Table, in_order

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_IMPORT = """\
#!/bin/sh
# Imports these files into a new Neo4j 5 database: import.sh [NAME] on the server, as its user, while that
# database does not run. Line breaks within texts are meant.
cd "$(dirname "$0")" || exit
exec neo4j-admin database import full --multiline-fields=true \\
{files} \\
    "${{1:-neo4j}}"
"""


def write_neo4j(database: DuckDBPyConnection, tables: Sequence[Table], target: Path) -> None:
    directory = target / "neo4j"
    directory.mkdir(mode=0o755)
    _stand_in(database, tables)
    database.execute(files(__package__).joinpath("parts_played.sql").read_text(encoding="utf-8"))
    options: list[str] = []
    for sort in ("nodes", "relationships"):
        for named, select in _selects(sort):
            options.append(f"    --{sort}={named}={named}.csv")
            # Neo4j takes nothing between two commas for no value, and "" for an empty text.
            file = quoted(str(directory / f"{named}.csv"))
            database.execute(f"COPY ({select}) TO {file} (FORMAT csv, HEADER true, FORCE_QUOTE *)")
    script = directory / "import.sh"
    script.write_text(_IMPORT.format(files=" \\\n".join(options)), encoding="utf-8")
    script.chmod(0o755)
    write_movies(database, directory / "movies.json")
    write_actors(database, directory / "actors.json")


def _selects(sort: str) -> Iterator[tuple[str, str]]:
    """The files of a folder by their names, sorted."""
    found = sorted(files(__package__).joinpath(sort).iterdir(), key=lambda path: path.name)
    return ((path.name.removesuffix(".sql"), path.read_text(encoding="utf-8")) for path in found)


def _stand_in(database: DuckDBPyConnection, tables: Sequence[Table]) -> None:
    """Have tables that were not asked for be empty, so that every file is written whatever there is."""
    written = {table.name for table in tables}
    for table in in_order(named for kind in KINDS.values() for named in kind.tables):
        if table.name not in written and not table.is_view:
            nothing = ", ".join(f"NULL::{column.type} AS {name(column.name)}" for column in table.columns)
            database.execute(f"CREATE VIEW memory.main.{name(table.name)} AS SELECT {nothing} WHERE false")
