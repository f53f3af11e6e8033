"""Every final outcome can be reopened; what each needs as evidence is in `e2e/test_final_states.py`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.queue import IdQueue, Settlement, State
from tmdb_scrapy.queue.repair import repair
from tmdb_scrapy.queue.states import OPEN, Letters

Invoke = Callable[..., int]
Ask = Callable[..., Any]
WAYS = {
    State.KEPT: ["--ids", "ids.txt"],
    State.DROPPED: ["--dropped"],
    State.MISSING: ["--missing"],
    State.FAILED: [],
    State.STALE: [],
}
"""How an ID leaves each final state: options of `scrapy retry`."""
REOPENED = {State.STALE: b"K"}
"""What it is then: queued, or queued with its line at hand."""


def settle(ask: Ask, tmdb_id: int, state: State, reason: str = "") -> None:
    async def story(queue: IdQueue) -> None:
        await queue.seed([tmdb_id])
        (lease,) = await queue.lease("ada", 1)
        if state is State.STALE:
            # It was kept, asked for again, and failed then.
            await queue.settle([Settlement(lease, State.KEPT)])
            await queue.client.setrange(queue.keys.ledger, tmdb_id, State.REFRESHING.value)
            await repair(queue)
            (lease,) = await queue.lease("ada", 1)
        await queue.settle([Settlement(lease, State.FAILED if state is State.STALE else state, reason)])

    ask(story)


def test_every_final_state_has_a_way_out() -> None:
    assert WAYS.keys() == set(State) - set(OPEN)


@pytest.mark.parametrize(
    ("kind", "state", "reason"),
    [
        *(("movies", state, "") for state in WAYS if state is not State.DROPPED),
        *(
            (kind.name, State.DROPPED, reason)
            for kind in KINDS.values()
            if kind.filter
            for reason in Letters(kind).reasons
        ),
    ],
)
def test_it_is_reopened(
    invoke: Invoke, ask: Ask, tmp_path: Path, kind: str, state: State, reason: str,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    settle(ask, 7, state, reason)
    before = ask(IdQueue.ledger)[7:]
    assert Letters(KINDS[kind]).state(before) is state
    assert invoke("ids", kind, state.label) == 0
    printed = capsys.readouterr().out
    assert printed == "7\n"
    (tmp_path / "ids.txt").write_text(f"# all that are {state.label}\n{printed}")
    for options in [WAYS[state], ["--ids", "ids.txt"]]:
        assert invoke("retry", kind, *options, "--dry-run") == 0
        assert ask(IdQueue.ledger)[7:] == before
    for other in ("--missing", "--dropped", "--failed"):
        if other[2:] not in {state.label, "failed" if state is State.STALE else ""}:
            assert invoke("retry", kind, other) == 0
            assert ask(IdQueue.ledger)[7:] == before, other
    assert invoke("retry", kind, *WAYS[state], *([reason] if reason else [])) == 0
    assert ask(IdQueue.ledger)[7:] == REOPENED.get(state, b"q")
    assert ask(IdQueue.length) == 1
    counts = ask(IdQueue.picture).counts
    assert {label: count for label, count in counts.items() if count} == {
        "refreshing" if state in REOPENED else "queued": 1
    }
