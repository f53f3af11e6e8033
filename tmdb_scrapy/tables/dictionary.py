"""The data dictionary, made from the SQL files and from `dictionary.md`, with which it begins:

python -m tmdb_scrapy.tables.dictionary > docs/tables.md
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.resources import files

from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.tables.metadata import ATTRIBUTION
from tmdb_scrapy.tables.schema import VERSION, Column, Table, table


def dictionary() -> str:
    """The whole page, in Markdown."""
    names = dict.fromkeys(name for kind in KINDS.values() for name in kind.tables)
    beginning = files(__package__).joinpath("dictionary.md").read_text(encoding="utf-8")
    return "\n".join([beginning.format(version=VERSION, attribution=ATTRIBUTION), *map(_described, names)])


def _described(name: str) -> str:
    return "\n".join(_lines(table(name), [kind.name for kind in KINDS.values() if name in kind.tables]))


def _lines(one: Table, kinds: Sequence[str]) -> Iterator[str]:
    yield f"## {one.name}\n"
    yield f"{one.about} Made where {' or '.join(kinds)} were crawled.\n"
    if one.is_view:
        yield f"A view; `--format csv` writes it too, as `csv/{one.name}.csv`.\n"
        return
    yield "| column | type | meaning |"
    yield "|---|---|---|"
    for column in one.columns:
        yield f"| `{column.name}` | {column.type} | {_meaning(one, column)} |"
    yield ""


def _meaning(one: Table, column: Column) -> str:
    key = "" if column.name not in one.key else "key" if len(one.key) == 1 else "part of the key"
    refers = f"→ {'.'.join(column.refers_to)}" if column.refers_to else ""
    return ". ".join(filter(None, (column.about, key, refers)))


if __name__ == "__main__":
    print(dictionary(), end="")
