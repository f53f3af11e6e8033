"""A line is a record or it is not; a value fits or is null."""

from __future__ import annotations

import pytest

from tmdb_scrapy.tables.reading import Unreadable, reader
from tmdb_scrapy.tables.shapes.movies import Shape

read = reader(Shape)

NO_RECORDS = [
    b"", b"\n", b"{", b'{"id":1', b"[]", b"1", b"null", b'"id"', b"{}", b'{"id":null}', b'{"id":"1"}',
    b'{"id":1.5}', b'{"id":true}', b'{"id":[1]}', b'{"id":9223372036854775808}', b'{"id":1} {"id":2}',
    b'{"id":1,}', b'{"id":1,"popularity":NaN}', b'{"id":1,"popularity":Infinity}', b"{'id':1}",
    b'\xef\xbb\xbf{"id":1}', b'{"id":1,"title":"\xff"}', b'{"id":1,"title":"a\nb"}', b'{"id":01}',
    b"\x00" * 8,
    b'{"id":1,"genres":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
]  # fmt: skip


@pytest.mark.parametrize("line", NO_RECORDS, ids=lambda line: line[:20])
def test_what_is_no_record_is_refused(line: bytes) -> None:
    with pytest.raises(Unreadable):
        read(line)


def test_a_value_that_does_not_fit_is_null_and_the_rest_stays() -> None:
    record = read(b'{"id":1,"budget":2.5,"revenue":7,"title":["x"],"genres":[{"id":1,"name":3},4,{"id":2}]}')
    assert (record.budget, record.revenue, record.title) == (None, 7, None)
    assert record.genres is not None
    assert [genre and (genre.id, genre.name) for genre in record.genres] == [(1, None), None, (2, None)]


@pytest.mark.parametrize("number", [b"9" * 5_000, b"-" + b"9" * 5_000, b"9" * 20, b"1" + b"0" * 400])
def test_a_number_of_many_digits_is_null_and_the_rest_stays(number: bytes) -> None:
    record = read(b'{"id":1,"budget":%b,"vote_count":7,"nobody":{"knows":%b}}' % (number, number))
    assert (record.budget, record.vote_count) == (None, 7)


def test_half_a_surrogate_pair_is_replaced_and_a_whole_one_stays() -> None:
    record = read(b'{"id":1,"title":"a\\ud83d b","overview":"\\ud83c\\udfac"}')
    assert (record.title, record.overview) == ("a\ufffd b", "\U0001f3ac")


def test_names_differ_by_their_case() -> None:
    assert read(b'{"id":1,"Title":"other","TITLE":"other"}').title is None
