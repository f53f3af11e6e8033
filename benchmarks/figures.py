"""What a benchmark says: figures with their runs, the goal, and whether it is met."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import msgspec


class Goal(msgspec.Struct, frozen=True):
    """What is wanted of a median."""

    bound: float
    at_most: bool = False

    def is_met(self, value: float) -> bool:
        return value <= self.bound if self.at_most else value >= self.bound

    def __str__(self) -> str:
        return f"{'≤' if self.at_most else '≥'} {self.bound:,g}"


class Figure(msgspec.Struct, frozen=True):
    """One line of the result."""

    scenario: str
    name: str
    unit: str
    """`×` for a ratio."""
    runs: list[float]
    goal: Goal | None = None

    @property
    def median(self) -> float:
        return statistics.median(self.runs)

    @property
    def verdict(self) -> str:
        """Empty without a goal."""
        return "" if self.goal is None else "met" if self.goal.is_met(self.median) else "missed"


class Origin(msgspec.Struct, frozen=True):
    """When, how and where something was measured."""

    measured_at: str
    command: str
    load_before: float
    """Load average over the minute before the command: others that disturb a measurement."""
    machine: dict[str, str]


class Outcome(msgspec.Struct):
    """All that one scenario found, with remarks about what to make of it."""

    scenario: str
    figures: list[Figure] = []
    remarks: list[str] = []
    origin: Origin | None = None
    """Its own, since scenarios are measured in separate runs."""

    def add(self, name: str, unit: str, runs: Sequence[float], goal: Goal | None = None) -> Figure:
        figure = Figure(self.scenario, name, unit, [round(run, 4) for run in runs], goal)
        self.figures.append(figure)
        return figure


class Report(msgspec.Struct):
    """What is known of every scenario, as in `latest.json`."""

    outcomes: list[Outcome] = []

    def replace(self, outcome: Outcome, order: Sequence[str]) -> None:
        """Take in an outcome instead of the scenario's former one; `order` has the scenarios' names."""
        others = [known for known in self.outcomes if known.scenario != outcome.scenario]
        ranks = {name: rank for rank, name in enumerate(order)}
        self.outcomes = sorted([*others, outcome], key=lambda known: ranks.get(known.scenario, len(ranks)))


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Run by run, since neighbours in time share the machine's mood."""
    return [own / other for own, other in zip(ours, theirs, strict=True)]
