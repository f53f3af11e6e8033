"""All tables old or all new: a set is written aside, and one rename puts it in the place of the last.

    DATA_DIR/.tables/7/         a whole set: the Parquet files, tmdb.duckdb, what else was asked for
    DATA_DIR/tables             → .tables/7, the one thing that is replaced
    DATA_DIR/tmdb.duckdb        → tables/tmdb.duckdb

Replacing a symbolic link is one step for every reader, and for a kill -9 as well; two files could be told
apart in between.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tmdb_scrapy import privacy

HOME = ".tables"
TABLES = "tables"


class InUse(Exception):
    """Something stands where the tables belong; the text says what."""


@contextmanager
def new_generation(data_dir: Path, links: Iterable[str]) -> Iterator[Path]:
    """An empty directory that becomes DATA_DIR/tables when the block ends well, and goes when it does not.

    `links` names the files in it that are also found in DATA_DIR itself. Raises `InUse` when another process
    writes tables there, or when a name is taken by something that this function did not make; `OSError`.
    """
    home = data_dir / HOME
    privacy.open_directory(home)
    with _alone(home):
        _refuse_strangers(data_dir, [TABLES, *links])
        _remove_all_but(home, _current(data_dir))
        new = home / str(1 + max((int(old.name) for old in _generations(home)), default=0))
        new.mkdir(mode=0o755)
        try:
            yield new
            _sync(new)
            _publish(data_dir, new, links)
        finally:
            _remove_all_but(home, _current(data_dir))


def is_published(data_dir: Path, links: Iterable[str]) -> bool:
    """Whether DATA_DIR/tables and all of these lead into a set that was made here."""
    return all((data_dir / name).exists() and _is_own(data_dir / name) for name in (TABLES, *links))


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    with privacy.lock(home / "lock") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InUse(f"another `scrapy tables` writes below {home} just now") from None
        yield


def _refuse_strangers(data_dir: Path, names: Iterable[str]) -> None:
    strangers = [str(data_dir / name) for name in names if _is_strange(data_dir / name)]
    if strangers:
        raise InUse(
            f"not made by `scrapy tables`, so not replaced by it: {', '.join(strangers)}; move it away"
        )


def _is_strange(path: Path) -> bool:
    return os.path.lexists(path) and not _is_own(path)


def _is_own(path: Path) -> bool:
    """Whether it is one of the links that `_publish` makes, and not somebody's to another place."""
    return path.is_symlink() and path.readlink().parts[0] in (HOME, TABLES)


def _publish(data_dir: Path, new: Path, links: Iterable[str]) -> None:
    for link in links:
        if not (data_dir / link).is_symlink():
            _point(data_dir / link, f"{TABLES}/{link}")
    _point(data_dir / TABLES, f"{HOME}/{new.name}")
    for path in data_dir.iterdir():
        if path.is_symlink() and path.readlink().parts[0] == TABLES and not path.exists():
            path.unlink()  # a file that the set before had, and this one has not


def _point(link: Path, target: str) -> None:
    """Make or replace a symbolic link at once."""
    aside = link.with_name(f".{link.name}.new")
    aside.unlink(missing_ok=True)
    aside.symlink_to(target)
    aside.replace(link)
    descriptor = os.open(link.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync(directory: Path) -> None:
    """Have all of it on the disk: else a power cut after the rename could leave empty files behind it."""
    for path in [*directory.rglob("*"), directory]:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _current(data_dir: Path) -> Path | None:
    link = data_dir / TABLES
    return data_dir / link.readlink() if link.is_symlink() else None


def _generations(home: Path) -> list[Path]:
    return [path for path in home.iterdir() if path.name.isdecimal() and path.is_dir()]


def _remove_all_but(home: Path, current: Path | None) -> None:
    """What killed runs left, and the set that was replaced."""
    for path in _generations(home):
        if path != current:
            shutil.rmtree(path)
