"""Reading records: every body is an item or a `BrokenRecord`, never another exception."""

from __future__ import annotations

import json
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from needs import REAL_DATA, needs_real_data

from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.kinds.movies import MovieDeciding
from tmdb_scrapy.records.record import AppendedAbsent, BrokenRecord, Record, RecordReader, id_in, line_of

read_movie = RecordReader(KINDS["movies"], ()).read
read_person = RecordReader(KINDS["people"], ()).read

JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def of_movie(record: Record) -> tuple[object, object, bool, bool, bool]:
    """Budget, revenue, and whether there are genres, cast and crew."""
    told = record.deciding
    assert isinstance(told, MovieDeciding)
    credits = told.credits
    return (
        told.budget,
        told.revenue,
        bool(told.genres),
        bool(credits and credits.cast),
        bool(credits and credits.crew),
    )


def movie(**fields: object) -> bytes:
    return json.dumps({"id": 7, **fields}).encode()


class TestReadMovie:
    def test_a_whole_one(self) -> None:
        body = movie(
            budget=2000,
            revenue=3000,
            genres=[{"id": 1}],
            credits={"cast": [{}], "crew": [{"job": "x"}]},
        )
        read = read_movie(7, body)
        assert (read.id, read.body) == (7, body)
        assert of_movie(read) == (2000, 3000, True, True, True)

    def test_the_body_stays_as_it_came(self) -> None:
        body = b' {\n"title" : "\\u00e9\xc3\xa9\\/", "id":7 }\n'
        assert read_movie(7, body).body is body

    def test_a_bare_one(self) -> None:
        body = b'{"id":7}'
        assert of_movie(read_movie(7, body)) == (None, None, False, False, False)

    @pytest.mark.parametrize("odd", [None, "1000000", True, [], {}, "", [2000]])
    def test_an_odd_amount_is_none(self, odd: object) -> None:
        read = read_movie(7, movie(budget=odd, revenue=odd, genres=[{"id": 1}]))
        assert of_movie(read)[:3] == (None, None, True)

    @pytest.mark.parametrize("odd", [None, "Drama", 1, True, {}, {"id": 1}, [], ""])
    def test_an_odd_list_is_not_filled(self, odd: object) -> None:
        read = read_movie(7, movie(budget=5, genres=odd, credits={"cast": odd, "crew": odd}))
        assert of_movie(read) == (5, None, False, False, False)

    @pytest.mark.parametrize("credits", [None, [], "x", 3, {}, {"cast": None}])
    def test_odd_credits_are_none(self, credits: object) -> None:
        read = read_movie(7, movie(credits=credits))
        assert of_movie(read)[3:] == (False, False)

    @pytest.mark.parametrize("element", [None, 1, "Drama", {}, [], {"id": None}])
    def test_of_an_element_only_its_being_there_counts(self, element: object) -> None:
        read = read_movie(7, movie(genres=[element], credits={"cast": [element], "crew": [element]}))
        assert of_movie(read)[2:] == (True, True, True)

    @pytest.mark.parametrize("written", ["2e7", "20000000.0", "2.0E+7"])
    def test_a_number_is_the_same_however_it_is_written(self, written: str) -> None:
        assert of_movie(read_movie(7, b'{"id":7,"revenue":%b}' % written.encode()))[1] == 20_000_000

    @pytest.mark.parametrize("written", [b"7.0", b"70e-1"])
    def test_an_id_is_the_same_for_the_spider_and_for_the_merge(self, written: bytes) -> None:
        body = b'{"id":%b,"budget":"odd"}' % written
        assert id_in(line_of(read_movie(7, body).body)) == 7

    @pytest.mark.parametrize("half", [rb"\ud800", rb"\uDFFF", rb"x\udbffx", rb"\udc00\ud800", rb"\ud800\n"])
    def test_half_a_surrogate_pair_is_kept_as_it_came(self, half: bytes) -> None:
        """Emoji that were cut in two: JSON's grammar allows it, decoders refuse it."""
        body = movie(revenue=20_000_000, title="HALF").replace(b"HALF", half)
        record = read_movie(7, body)
        assert record.body == body
        assert record.deciding.revenue == 20_000_000
        assert id_in(line_of(body)) == 7

    @pytest.mark.parametrize("whole", [rb"\ud83d\ude00", rb"\\ud800", rb"\\\ud83d\ude00"])
    def test_what_only_looks_like_half_a_pair_is_none(self, whole: bytes) -> None:
        broken = movie(title="WHOLE").replace(b"WHOLE", whole)[:-1]
        with pytest.raises(BrokenRecord, match="not JSON"):
            read_movie(7, broken)
        assert read_movie(7, broken + b"}").body == broken + b"}"

    def test_amounts_beyond_64_bits(self) -> None:
        assert of_movie(read_movie(7, movie(budget=10**30)))[0] == 10**30

    def test_the_last_of_two_equal_keys_counts_as_in_any_json_reader(self) -> None:
        body = b'{"id":7,"budget":1,"budget":2,"revenue":"x","revenue":3}'
        read = read_movie(7, body)
        assert of_movie(read)[:2] == (2, 3)

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"null",
            b"[]",
            b"7",
            b'"7"',
            b"{}",
            b'{"id": 7',
            b'{"id": 7}}',
            b'{"id": 7} {"id": 7}',
            b"{'id': 7}",
            b'{"id": 7, "budget": NaN}',
            b'{"id": 7, "budget": 01}',
            b'{"id": 8}',
            b'{"id": null}',
            b'{"id": "7"}',
            b'{"id": [7]}',
            b'{"budget": 5}',
            b'{"id": 7, "title": "\xff"}',
            b'{"id": 7, "budget": "x", "title": "\xff"}',
            b'{"id": 7, "title": "\xed\xa0\x80"}',
            b'{"id": 7, "title": "two\nlines"}',
            b"<html>7</html>",
            b'\xef\xbb\xbf{"id": 8}',
            b'{"id": 7, "x": ' + b"[" * 100_000,
        ],
    )
    def test_what_is_no_record_of_that_id(self, body: bytes) -> None:
        with pytest.raises(BrokenRecord):
            read_movie(7, body)

    def test_true_is_not_the_id_1(self) -> None:
        with pytest.raises(BrokenRecord):
            read_movie(1, b'{"id": true, "budget": "odd"}')

    @given(st.binary(max_size=80))
    def test_any_bytes(self, body: bytes) -> None:
        self._reads_or_says_why(body)

    @given(JUNK, JUNK, JUNK, JUNK, st.integers(0, 400))
    def test_any_cut_of_any_json(
        self, budget: object, genres: object, credits: object, id_: object, cut: int
    ) -> None:
        body = json.dumps({"id": id_, "budget": budget, "genres": genres, "credits": credits}).encode()
        self._reads_or_says_why(body)
        self._reads_or_says_why(body[:cut])

    def _reads_or_says_why(self, body: bytes) -> None:
        for read in (read_movie, read_person):
            try:
                item = read(7, body)
            except BrokenRecord as error:
                assert str(error)
            else:
                assert json.loads(body)["id"] == item.id == 7

    def test_the_representation_has_no_body(self) -> None:
        assert "secret plot" not in repr(read_movie(7, movie(overview="secret plot")))


class TestReadPerson:
    def test_kept_as_it_comes(self) -> None:
        body = b'{"movie_credits": null, "id": 62}'
        read = read_person(62, body)
        assert (read.kind, read.id, read.body) == (KINDS["people"], 62, body)

    @pytest.mark.parametrize(
        "body", [b"", b"{}", b'{"id": 63}', b'{"id": true}', b'{"id": 62, "name": "\xff"}', b'{"id": 62']
    )
    def test_what_is_no_record_of_that_id(self, body: bytes) -> None:
        with pytest.raises(BrokenRecord):
            read_person(62, body)


class TestAppended:
    """What was asked for has to be there: absent is not empty."""

    READER = RecordReader(KINDS["movies"], ("credits", "keywords", "watch/providers"))
    WHOLE: ClassVar[dict[str, object]] = {
        "credits": {"cast": [], "crew": []},
        "keywords": {"keywords": []},
        "watch/providers": {},
    }

    def test_empty_is_there(self) -> None:
        assert self.READER.read(7, movie(**self.WHOLE)).id == 7

    @pytest.mark.parametrize("name", WHOLE)
    @pytest.mark.parametrize(
        "instead", ["nothing", None, {"success": False, "status_code": 11}, [], "x"], ids=str
    )
    def test_what_is_not_there_is_named(self, name: str, instead: object) -> None:
        fields = {**self.WHOLE, name: instead}
        if instead == "nothing":
            del fields[name]
        with pytest.raises(AppendedAbsent, match=name) as caught:
            self.READER.read(7, movie(**fields))
        assert caught.value.name == name

    def test_a_series_has_the_seasons_it_has(self) -> None:
        reader = RecordReader(KINDS["tv"], ("season/1", "season/2"))
        assert reader.read(7, movie(**{"season/1": {"episodes": []}})).id == 7


class TestLine:
    @pytest.mark.parametrize(
        ("body", "line"),
        [
            (b'{"id":7}', b'{"id":7}\n'),
            (b'{"id":7}\n', b'{"id":7}\n'),
            (b'{\r\n  "id": 7\r\n}\r\n', b'{  "id": 7}\n'),
            (b'{"title":"a\\nb\\r\\u000a"}', b'{"title":"a\\nb\\r\\u000a"}\n'),
            ('{"title":"a\u2028b\u0085c"}'.encode(), '{"title":"a\u2028b\u0085c"}\n'.encode()),
            (b'{"title" :\t"\\u00e9\xc3\xa9\\/ \x7f"} ', b'{"title" :\t"\\u00e9\xc3\xa9\\/ \x7f"} \n'),
        ],
    )
    def test_byte_for_byte_save_line_breaks(self, body: bytes, line: bytes) -> None:
        assert line_of(body) == line

    @given(st.dictionaries(st.text(), JUNK), st.booleans(), st.sampled_from([None, 0, 2, "\r\n"]))
    def test_one_line_that_means_the_same(
        self, record: dict[str, object], ascii_only: bool, indent: int | str | None
    ) -> None:
        body = json.dumps(record, ensure_ascii=ascii_only, indent=indent).encode("utf-8", "surrogatepass")
        line = line_of(body)
        assert line.count(b"\n") == 1
        assert line.endswith(b"\n")
        assert b"\r" not in line
        assert line[:-1] == bytes(byte for byte in body if byte not in b"\r\n")
        assert json.loads(line) == json.loads(body)


@needs_real_data
def test_recorded_records_are_read() -> None:
    for name in ("movie-168259.de.json", "person-62.movie_credits.json"):
        body = (REAL_DATA / "recorded" / name).read_bytes()
        tmdb_id = json.loads(body)["id"]
        item = read_movie(tmdb_id, body) if name.startswith("movie") else read_person(tmdb_id, body)
        assert json.loads(line_of(item.body)) == json.loads(body)
