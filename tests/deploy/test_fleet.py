"""deploy.fleet: of which kinds a command is."""

from __future__ import annotations

import pytest

from deploy.fleet import kinds
from deploy.ssh.failures import FleetError
from tmdb_scrapy.kinds import FIRST, KINDS


@pytest.mark.parametrize(
    ("said", "meant"),
    [({}, [FIRST]), ({"KIND": " "}, [FIRST]), ({"KIND": "tv  movies tv"}, ["tv", "movies"])],
)
def test_kinds_are_named_one_after_another(said: dict[str, str], meant: list[str]) -> None:
    assert kinds(said) == [KINDS[name] for name in meant]


def test_what_is_no_kind_is_refused_before_anything_is_done() -> None:
    with pytest.raises(FleetError, match="'movies films': films is none of movies"):
        kinds({"KIND": "movies films"})
