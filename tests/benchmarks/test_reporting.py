"""What separate runs measured lives side by side."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from benchmarks import reporting
from benchmarks.figures import Goal, Origin, Outcome

ORDER = ["peers", "merging", "scale"]


def outcome(scenario: str, figure: float, command: str = "a run", unit: str = "s") -> Outcome:
    origin = Origin("2026-01-01 00:00 UTC", command, 0.5, {"processor": f"of {command}"})
    result = Outcome(scenario, remarks=[f"of {scenario}"], origin=origin)
    result.add("our crawler", unit, [figure], Goal(10))
    return result


def saved(directory: Path) -> dict[str, Outcome]:
    return {known.scenario: known for known in reporting.load(directory).outcomes}


def test_a_run_replaces_its_own_scenarios_and_leaves_the_others(tmp_path: Path) -> None:
    for found in (outcome("peers", 1), outcome("scale", 2), outcome("peers", 3)):
        reporting.save(found, tmp_path, ORDER)
    assert {name: known.figures[0].median for name, known in saved(tmp_path).items()} == {
        "peers": 3,
        "scale": 2,
    }


def test_a_scenario_keeps_the_command_and_machine_it_was_measured_with(tmp_path: Path) -> None:
    reporting.save(outcome("scale", 2, "the long run"), tmp_path, ORDER)
    reporting.save(outcome("peers", 1, "the short run"), tmp_path, ORDER)
    origin = saved(tmp_path)["scale"].origin
    assert origin
    assert (origin.command, origin.machine) == ("the long run", {"processor": "of the long run"})


def test_scenarios_are_saved_in_the_order_in_which_they_run(tmp_path: Path) -> None:
    for name in ("scale", "merging", "peers"):
        reporting.save(outcome(name, 1), tmp_path, ORDER)
    assert list(saved(tmp_path)) == ORDER


def test_nothing_saved_yet_is_an_empty_report(tmp_path: Path) -> None:
    assert reporting.load(tmp_path).outcomes == []


def test_the_chart_keeps_crawlers_that_another_run_compared(tmp_path: Path) -> None:
    reporting.save(outcome("peers", 7_000, unit="requests/s"), tmp_path, ORDER)
    reporting.save(outcome("scale", 2), tmp_path, ORDER)
    chart = ElementTree.parse(tmp_path / "chart.svg").getroot()
    assert "7,000 requests/s" in "".join(chart.itertext())


def test_the_readme_has_all_that_is_saved_and_says_of_each_how_it_was_measured(tmp_path: Path) -> None:
    reporting.save(outcome("peers", 1, "the short run"), tmp_path, ORDER)
    reporting.save(outcome("merging", 2, "the short run"), tmp_path, ORDER)
    reporting.save(outcome("scale", 3, "the long run"), tmp_path, ORDER)
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{reporting.BEGIN}\nold\n{reporting.END}\nafter\n", encoding="utf-8")
    reporting.write_readme(reporting.load(tmp_path), readme)
    text = readme.read_text(encoding="utf-8")
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    landmarks = ("`the short run`", "### peers", "### merging", "`the long run`", "### scale")
    assert [text.count(landmark) for landmark in landmarks] == [1] * 5
    assert sorted(landmarks, key=text.index) == list(landmarks)


def test_a_readme_without_a_place_for_results_is_refused(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("no markers", encoding="utf-8")
    with pytest.raises(ValueError, match="no place for results"):
        reporting.write_readme(reporting.load(tmp_path), readme)
