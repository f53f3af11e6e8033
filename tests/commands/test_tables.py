"""`scrapy tables`."""

from __future__ import annotations

import contextlib
import datetime
import shutil
import sqlite3
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from disks import small_disk, why_impossible
from needs import needs
from odd_records import movie, odd_people
from sets import line

from tmdb_scrapy.records.columns import from_single, write_index
from tmdb_scrapy.records.index import Entry, index_of
from tmdb_scrapy.records.merged import index_fits, merged_header
from tmdb_scrapy.tables.building import Order, Report, build

Invoke = Callable[..., int]


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A DATA_DIR with two movies."""
    directory = tmp_path / "data"
    directory.mkdir()
    (directory / "movies.jsonl").write_bytes(line(movie(1)) + line(movie(2)))
    return directory


@pytest.fixture
def no_redis(closed_port: int) -> dict[str, str]:
    """No Redis, no key, no TMDb."""
    nowhere = f"127.0.0.1:{closed_port}"
    return {"REDIS_URL": f"redis://{nowhere}/0", "TMDB_API_KEY": "", "TMDB_API_URL": f"http://{nowhere}"}


def titles(data_dir: Path) -> list[str]:
    """Of the movies, where Parquet and database agree."""
    in_parquet = duckdb.execute(f"SELECT title FROM '{data_dir}/tables/movies.parquet'").fetchall()
    with duckdb.connect(str(data_dir / "tmdb.duckdb"), read_only=True) as database:
        assert database.execute("SELECT title FROM movies").fetchall() == in_parquet
    return [row[0] for row in in_parquet]


def test_merged_files_are_all_it_needs(
    invoke: Invoke, data_dir: Path, no_redis: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    (data_dir / "people.jsonl").write_bytes(b"".join(odd_people()))
    assert invoke("tables", **no_redis) == 0
    assert titles(data_dir) == ["Movie 1", "Movie 2"]
    assert (data_dir / "tables" / "person_credits.parquet").exists()
    assert "movie_cast" in capsys.readouterr().out


def test_the_index_tells_which_record_was_fetched_last(invoke: Invoke, data_dir: Path) -> None:
    merged = data_dir / "movies.jsonl"
    named = [movie(number, genres=[{"id": 1, "name": name}]) for number, name in ((1, "newer"), (2, "older"))]
    merged.write_bytes(b"".join(map(line, named)))
    days = {1: "2026-03-02", 2: "2026-03-01"}
    index, offset = [], 0
    for one in named:
        written = line(one)
        at = datetime.datetime.fromisoformat(f"{days[one['id']]}T12:00:00+00:00").timestamp()
        index.append(Entry(one["id"], len(written), int(at) * 10**9, offset, zlib.crc32(written)))
        offset += len(written)
    write_index(index_of(merged), merged_header(merged.stat()), from_single(index))
    assert invoke("tables") == 0
    with duckdb.connect(str(data_dir / "tmdb.duckdb"), read_only=True) as database:
        assert database.execute("SELECT name FROM genres").fetchall() == [("newer",)]
        about = dict(database.execute("SELECT key, value FROM metadata").fetchall())
    assert (about["oldest_record"], about["newest_record"]) == ("2026-03-01", "2026-03-02")


def test_what_would_come_out_the_same_is_left_alone(
    invoke: Invoke, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def made(*arguments: str) -> tuple[int, bool]:
        """The number of the set, and whether it was made just now."""
        assert invoke("tables", *arguments) == 0
        return int((data_dir / "tables").resolve().name), "nothing has changed" not in capsys.readouterr().out

    assert made() == (1, True)
    assert made() == (1, False)
    assert made("movies") == (1, False), "it is the only kind that is there"
    assert made("--format", "sqlite") == (2, True)
    (data_dir / "tmdb.sqlite").unlink()
    assert made("--format", "sqlite") == (3, True), "one of its files is gone"
    (data_dir / "movies.jsonl").write_bytes(line(movie(1)) + line(movie(3)))
    assert made("--format", "sqlite") == (4, True), "another movie, and as many bytes"
    assert titles(data_dir) == ["Movie 1", "Movie 3"]
    (data_dir / "movies.index").write_bytes(b"an index tells how old records are")
    assert made("--format", "sqlite") == (5, True)
    (data_dir / "people.jsonl").write_bytes(b"".join(odd_people()))
    assert made("--format", "sqlite") == (6, True)
    assert made("--format", "sqlite") == (6, False)
    (data_dir / "tables" / "origin.json").write_bytes(b"{}")
    assert made("--format", "sqlite") == (7, True)


def test_formats_are_kept_until_others_are_asked_for(invoke: Invoke, data_dir: Path) -> None:
    assert invoke("tables", "--format", "sqlite", "--format", "csv") == 0
    (data_dir / "movies.jsonl").write_bytes(line(movie(3)))
    assert invoke("tables") == 0
    with contextlib.closing(sqlite3.connect(data_dir / "tmdb.sqlite")) as database:
        assert database.execute("SELECT movie_id FROM movies").fetchall() == [(3,)]
    assert (data_dir / "tables" / "csv" / "movies.csv").exists()
    assert invoke("tables", "--format", "csv") == 0
    assert not (data_dir / "tmdb.sqlite").is_symlink(), "nothing leads to where nothing is"
    assert titles(data_dir) == ["Movie 3"]


def write_merged(data_dir: Path, day: str, *names: str) -> None:
    """Movies from ID 1 with these names of the one genre, all answered on that day, with their index."""
    answered_ns = int(datetime.datetime.fromisoformat(f"{day}T12:00:00+00:00").timestamp()) * 10**9
    index, lines, offset = [], [], 0
    for number, name in enumerate(names, 1):
        lines.append(line(movie(number, title=name, genres=[{"id": 1, "name": name}])))
        index.append(Entry(number, len(lines[-1]), answered_ns, offset, zlib.crc32(lines[-1])))
        offset += len(lines[-1])
    merged = data_dir / "movies.jsonl"
    unfinished = data_dir / "movies.new"
    unfinished.write_bytes(b"".join(lines))
    unfinished.replace(merged)
    write_index(index_of(merged), merged_header(merged.stat()), from_single(index))


def said_and_ages(data_dir: Path) -> tuple[list[str], str, str]:
    """The titles, and the days of the oldest and the newest record."""
    with duckdb.connect(str(data_dir / "tmdb.duckdb"), read_only=True) as database:
        about = dict(database.execute("SELECT key, value FROM metadata").fetchall())
    return titles(data_dir), about["oldest_record"], about["newest_record"]


def test_a_merge_while_a_file_is_read_changes_nothing(
    invoke: Invoke, data_dir: Path, as_user: pytest.MonkeyPatch
) -> None:
    def merged_meanwhile(order: Order, target: Path, report: Report) -> dict[str, int]:
        write_merged(data_dir, "2026-05-05", "new", "new")
        return build(order, target, report)

    write_merged(data_dir, "2026-03-03", "old", "old")
    with as_user.context() as patched:
        patched.setattr("tmdb_scrapy.commands.tables.build", merged_meanwhile)
        assert invoke("tables") == 0
    assert said_and_ages(data_dir) == (["old", "old"], "2026-03-03", "2026-03-03")
    assert invoke("tables") == 0
    assert said_and_ages(data_dir) == (["new", "new"], "2026-05-05", "2026-05-05")


def test_the_index_of_a_later_merge_is_not_believed(
    invoke: Invoke, data_dir: Path, as_user: pytest.MonkeyPatch
) -> None:
    def merged_meanwhile(merged: Path) -> bool:
        write_merged(data_dir, "2026-05-05", "new", "new", "new")
        return index_fits(merged)

    write_merged(data_dir, "2026-03-03", "old", "old")
    with as_user.context() as patched:
        patched.setattr("tmdb_scrapy.commands.tables.index_fits", merged_meanwhile)
        assert invoke("tables") == 0
    assert said_and_ages(data_dir) == (["old", "old"], "", "")
    assert invoke("tables") == 0
    assert said_and_ages(data_dir) == (["new"] * 3, "2026-05-05", "2026-05-05")


@pytest.mark.parametrize("letter", ["[", "*", "?", "\\"])
def test_a_path_that_duckdb_takes_for_a_pattern_is_refused(
    invoke: Invoke, data_dir: Path, capsys: pytest.CaptureFixture[str], letter: str
) -> None:
    odd = data_dir.rename(data_dir.with_name(f"a{letter}b"))
    assert invoke("tables", DATA_DIR=str(odd)) == 1
    assert f"with {letter} for a pattern" in capsys.readouterr().err
    assert not (odd / "tables").exists()


def test_what_stands_in_the_way_is_named(
    invoke: Invoke, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (data_dir / "tables").touch()
    assert invoke("tables") == 1
    assert f"{data_dir / 'tables'}; move it away" in capsys.readouterr().err
    (data_dir / "tables").unlink()
    shutil.rmtree(data_dir / ".tables")
    (data_dir / ".tables").touch()
    assert invoke("tables") == 1
    assert f"{data_dir / '.tables'}': something else stands there" in capsys.readouterr().err


def test_a_merged_file_that_is_replaced_while_it_is_read_is_read_again(
    invoke: Invoke, data_dir: Path, as_user: pytest.MonkeyPatch
) -> None:
    def replacing(order: Order, target: Path, report: Report) -> dict[str, int]:
        rows = build(order, target, report)
        (data_dir / "movies.jsonl").write_bytes(line(movie(8)))
        return rows

    as_user.setattr("tmdb_scrapy.commands.tables.build", replacing)
    assert invoke("tables") == 0
    as_user.setattr("tmdb_scrapy.commands.tables.build", build)
    assert invoke("tables") == 0
    assert titles(data_dir) == ["Movie 8"]


def test_a_kind_may_be_chosen(invoke: Invoke, data_dir: Path) -> None:
    (data_dir / "people.jsonl").write_bytes(b"".join(odd_people()))
    assert invoke("tables", "people") == 0
    names = {path.stem for path in (data_dir / "tables").glob("*.parquet")}
    assert names == {"people", "person_aliases", "person_credits", "external_ids"}


def test_every_format_is_found_where_it_belongs(invoke: Invoke, data_dir: Path) -> None:
    assert (
        invoke("tables", *["--format", "csv", "--format", "jsonl", "--format", "sqlite", "--format", "csv"])
        == 0
    )
    for path in ("tables/csv/movies_flat.csv", "tables/jsonl/movies.jsonl", "tmdb.sqlite", "tmdb.duckdb"):
        assert (data_dir / path).stat().st_size > 0


@pytest.mark.parametrize("broken", [b'{"id":', b"", b"[]", b'{"id":3,"title":"torn'], ids=repr)
def test_a_broken_line_is_named_and_the_old_tables_stay(
    invoke: Invoke, data_dir: Path, capsys: pytest.CaptureFixture[str], broken: bytes
) -> None:
    assert invoke("tables") == 0
    (data_dir / "movies.jsonl").write_bytes(line(movie(7)) + broken + b"\n" + line(movie(8)))
    assert invoke("tables") == 1
    said = capsys.readouterr().err
    assert f"{data_dir / 'movies.jsonl'}, line 2: " in said
    assert "untouched" in said
    assert titles(data_dir) == ["Movie 1", "Movie 2"]


def test_without_a_merged_file_it_says_what_writes_one(
    invoke: Invoke, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke("tables", "people") == 1
    assert "`scrapy merge people`" in capsys.readouterr().err
    (data_dir / "movies.jsonl").unlink()
    assert invoke("tables") == 1
    assert "`scrapy merge movies`" in capsys.readouterr().err


def test_an_unknown_kind_is_bad_use(invoke: Invoke, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke("tables", "films") == 2
    assert "no such kind: films" in capsys.readouterr().err


def test_without_duckdb_it_says_what_to_run(
    invoke: Invoke, data_dir: Path, as_user: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    as_user.setitem(sys.modules, "duckdb", None)
    assert invoke("tables") == 1
    assert "run `make tables`" in capsys.readouterr().err


def test_a_full_disk_leaves_the_old_tables(
    invoke: Invoke, data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    needs(why_impossible(tmp_path))
    with small_disk(tmp_path / "small", megabytes=24):
        small = tmp_path / "small" / "data"
        small.mkdir()
        (small / "movies.jsonl").write_bytes((data_dir / "movies.jsonl").read_bytes())
        assert invoke("tables", DATA_DIR=str(small)) == 0
        with (small / "movies.jsonl").open("ab") as merged:
            merged.writelines(line(movie(number)) for number in range(10, 6_000))
        assert invoke("tables", DATA_DIR=str(small)) == 1
        said = capsys.readouterr().err
        assert "No space left on device" in said
        assert "untouched" in said
        assert titles(small) == ["Movie 1", "Movie 2"]
