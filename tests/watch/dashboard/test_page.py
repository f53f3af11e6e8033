"""The page as it is loaded: every number beside its word, and what is hostile as text."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from samples import HOSTILE, NOW, movies, sample, worker

from tmdb_scrapy.config import Config
from tmdb_scrapy.queue import Minute
from tmdb_scrapy.watch.dashboard.page import Page
from tmdb_scrapy.watch.sampler import Gone, Sample, Sampler


class Elements(HTMLParser):
    """Every element of a page, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def facts(self) -> dict[str, int]:
        return {
            str(a["data-fact"]): int(a["value"] or 0)
            for tag, a in self.tags
            if tag == "data" and a["data-fact"]
        }


@pytest.fixture
def sampler(config: Config) -> Sampler:
    return Sampler(config)


def page(sampler: Sampler, actions: bool = False, done: str = "") -> str:
    return Page(sampler, actions).whole("", done, NOW)


def test_every_number_stands_in_an_element_of_its_own(sampler: Sampler) -> None:
    sampler.sample = sample(worker())
    facts = Elements(page(sampler)).facts()
    assert facts == {
        "movies.done": 90, "movies.total": 190, "movies.queued": 100, "movies.leased": 7, "movies.kept": 50,
        "movies.dropped": 30, "movies.missing": 5, "movies.failed": 4, "movies.stale": 1,
        "movies.reasons.budget": 29, "movies.reasons.cast": 1,
    }  # fmt: skip


def test_hostile_names_errors_and_reasons_are_text(sampler: Sampler) -> None:
    hostile = worker(name=HOSTILE, host=HOSTILE, state=HOSTILE, last_error=HOSTILE * 300)
    tame = sample(worker())
    tame_tags = [tag for tag, _ in _elements(sampler, tame)]
    wild = sample(kinds={"movies": movies(hostile, failures={7: HOSTILE}, lost={HOSTILE: 1})})
    sampler.gone["movies"]["gone"] = Gone(hostile, NOW - 5)
    text = page(sampler_with(sampler, wild))
    elements = Elements(text)
    assert {tag for tag, _ in elements.tags} - set(tame_tags) <= {
        "details",
        "summary",
        "ul",
        "li",
        "bdi",
        "h3",
    }
    assert not [attributes for _, attributes in elements.tags if any(k.startswith("on") for k in attributes)]
    assert sum(tag == "script" for tag, _ in elements.tags) == 1
    assert HOSTILE in elements.text
    assert len(text) < 60_000, "a text of ten kilobytes is cut"
    shown = Page(sampler, False).worker("movies", HOSTILE, NOW)
    assert shown is not None
    assert "script" not in {tag for tag, _ in Elements(shown).tags}


def _elements(sampler: Sampler, what: Sample) -> list[tuple[str, dict[str, str | None]]]:
    return Elements(page(sampler_with(sampler, what))).tags


def sampler_with(sampler: Sampler, what: Sample) -> Sampler:
    sampler.sample = what
    return sampler


def test_there_is_no_style_or_script_inside_and_nothing_from_elsewhere(sampler: Sampler) -> None:
    sampler.sample = sample(worker())
    sampler.minutes["movies"].add({int(NOW // 60) - n: Minute(kept=n, answers=n) for n in range(1, 50)}, 0)
    for tag, attributes in Elements(page(sampler, actions=True)).tags:
        assert "style" not in attributes
        assert tag != "style"
        for name in ("src", "href", "action", "formaction"):
            target = attributes.get(name) or ""
            relative = not re.match(r"/|\w+:", target)
            assert relative or target.startswith("https://www.themoviedb.org/"), target


def test_failed_ids_link_to_tmdb(sampler: Sampler) -> None:
    sampler.sample = sample(kinds={"movies": movies(failures={603: "http_500"})})
    assert '<a href="https://www.themoviedb.org/movie/603" rel="noreferrer">movie 603</a>' in page(sampler)


def test_buttons_are_there_only_with_actions(sampler: Sampler) -> None:
    sampler.sample = sample(worker())
    assert "<button" not in page(sampler).replace("<button>Close</button>", "")
    assert 'action="actions/pause"' in page(sampler, actions=True)
    sampler.sample = sample(kinds={"movies": movies(paused_since=NOW - 60)})
    assert 'action="actions/resume"' in page(sampler, actions=True)


def test_what_was_done_is_said_in_its_own_words_alone(sampler: Sampler) -> None:
    sampler.sample = sample(kinds={"movies": movies(paused_since=NOW - 1)})
    assert "movies: Paused" in page(sampler, done="pause-movies")
    for made_up in ("pause-<b>", "burn-movies", "pause", "-movies", "pause-cars"):
        assert "banner said" not in page(sampler, done=made_up)


@pytest.mark.parametrize(("done", "paused_since"), [("pause-movies", 0.0), ("resume-movies", NOW - 1)])
def test_what_somebody_has_undone_since_is_not_said(sampler: Sampler, done: str, paused_since: float) -> None:
    sampler.sample = sample(kinds={"movies": movies(paused_since=paused_since)})
    assert "banner said" not in page(sampler, done=done)


def test_nothing_seeded_says_what_to_do(sampler: Sampler) -> None:
    sampler.sample = Sample(at=NOW)
    assert "make seed" in page(sampler)


def test_a_worker_that_is_gone_has_no_page(sampler: Sampler) -> None:
    sampler.sample = sample(worker())
    assert Page(sampler, False).worker("movies", "nobody", NOW) is None
    assert Page(sampler, False).worker("<b>", "here-1-abc", NOW) is None
    assert "here-1-abc" in (Page(sampler, False).worker("movies", "here-1-abc", NOW) or "")


def test_what_was_never_read_is_not_said_to_be_empty(sampler: Sampler) -> None:
    sampler.sample = Sample(trouble="no Redis answers")
    assert "Nothing is seeded" not in Elements(page(sampler)).text
    sampler.sample = Sample(at=NOW)
    assert "Nothing is seeded" in Elements(page(sampler)).text


def test_the_last_update_and_the_next_are_told(sampler: Sampler) -> None:
    sampler.sample = sample(worker(), scheduled={"people": "daily"})
    text = page(sampler)
    assert '<dt>last update</dt><dd data-text="movies.updated">20 h 00 min ago</dd>' in text
    assert '<dt>next update</dt><dd data-text="movies.next">not scheduled here</dd>' in text
    sampler.sample = sample(worker(), scheduled={"movies": "daily"})
    assert '<dt>next update</dt><dd data-text="movies.next">daily</dd>' in page(sampler)
