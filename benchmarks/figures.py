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


class Outcome(msgspec.Struct):
    """All that one scenario found, with remarks about what to make of it."""

    scenario: str
    figures: list[Figure] = []
    remarks: list[str] = []

    def add(self, name: str, unit: str, runs: Sequence[float], goal: Goal | None = None) -> Figure:
        figure = Figure(self.scenario, name, unit, [round(run, 4) for run in runs], goal)
        self.figures.append(figure)
        return figure


class Report(msgspec.Struct):
    """A run of the benchmarks, as in `latest.json`."""

    measured_at: str
    command: str
    machine: dict[str, str]
    load_before: float
    """Load average over the minute before: others that disturb a measurement."""
    outcomes: list[Outcome]


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Run by run, since neighbours in time share the machine's mood."""
    return [own / other for own, other in zip(ours, theirs, strict=True)]
