"""No ID ends by what can be said of every request: for each final state, an API that says it of all.

Missing, and failed by a page: `test_obstacles.py`; kept: the full disk in `test_faults.py`. How each state is
left again: `commands/test_final_states.py`.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from crawl import Crawl


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--without-appended", "credits"), "APPEND_TO_RESPONSE"),
        (("--broken-appended", "credits"), "APPEND_TO_RESPONSE"),
        ((), ""),
    ],
    ids=["dropped", "dropped for an error", "failed by an outage"],
)
def test_what_is_said_of_all_settles_none(
    crawl: Callable[..., Crawl], options: tuple[str, ...], sentence: str
) -> None:
    lying = crawl("--movies", "150", *options)
    lying.seed()
    really_missing = {each for each, end in lying.expected().items() if end == "missing"}
    if not sentence:
        lying.stop_sandbox()
    (worker,) = lying.start()
    if sentence:
        assert worker.wait() == 1, worker.output[-2000:]
        assert sentence in worker.output
    else:
        worker.says("The API seems to be down")
        worker.kill()
    ended = {each for each, state in lying.ledger().items() if state != b"q"}
    assert not ended - really_missing
    assert lying.parts() == [] or all(not part.stat().st_size for part in lying.parts())
