"""`make bench`, or `python -m benchmarks.run`: measure, print, save."""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import shlex
import shutil
import sys
import time
from pathlib import Path

from benchmarks import machine, profiling, reporting
from benchmarks.figures import Origin, Outcome
from benchmarks.scenarios import NOT_BY_DEFAULT, SCENARIOS
from benchmarks.workbench import Sizes, Workbench

QUICK = Sizes(
    runs=1, pairs=1, movies=300, far_movies=320, redis_movies=300, paced_s=4, ids=5_000, merge_lines=2_000,
    full_merge_lines=4_000, table_movies=3_000, workers=30, fleet_s=4,
)  # fmt: skip
"""Shows that everything works; its figures mean nothing."""


def main() -> None:
    options = _options()
    if options.profile and shutil.which("py-spy") is None:
        sys.exit("py-spy is not on the PATH: pip install py-spy")
    if options.list:
        for name, scenario in SCENARIOS.items():
            print(f"{name:12} {(scenario.__doc__ or '').strip()}")
        return
    if not options.readme_only:
        _measure(options)
    if options.write_readme or options.readme_only:
        directory = options.results or reporting.RESULTS
        report = reporting.load(directory)
        reporting.draw(report, directory)
        reporting.write_readme(report)


def _measure(options: argparse.Namespace) -> None:
    """Run the scenarios; what each found is saved at once, for the next may fail."""
    origin = _origin()
    with Workbench(_sizes(options), options.server, options.directory) as bench:
        if bench.cores.count < 2:
            print("only one core: crawler and server will disturb each other", file=sys.stderr)
        if options.profile:
            profiling.profile(bench, options.profile)
            return
        for name in options.only or [name for name in SCENARIOS if name not in NOT_BY_DEFAULT]:
            outcome = _run(name, bench)
            outcome.origin = origin
            print(reporting.render([outcome]), end="\n\n", flush=True)
            _save(outcome, options)


def _origin() -> Origin:
    return Origin(
        measured_at=datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        command=shlex.join(["python", "-m", "benchmarks.run", *sys.argv[1:]]),
        load_before=machine.load_average(),
        machine=machine.describe(),
    )


def _save(outcome: Outcome, options: argparse.Namespace) -> None:
    if options.quick and options.results is None:
        print("  not saved: --quick measures nothing; --results DIR saves it all the same", file=sys.stderr)
        return
    directory = options.results or reporting.RESULTS
    reporting.save(outcome, directory, list(SCENARIOS))
    print(f"  written: {directory}/latest.json", file=sys.stderr, flush=True)


def _run(name: str, bench: Workbench) -> Outcome:
    print(f"{name}: {(SCENARIOS[name].__doc__ or '').strip()}", file=sys.stderr, flush=True)
    began = time.monotonic()
    outcome = SCENARIOS[name](bench)
    print(f"  took {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return outcome


def _sizes(options: argparse.Namespace) -> Sizes:
    given = {field.name: getattr(options, field.name) for field in dataclasses.fields(Sizes)}
    return dataclasses.replace(
        QUICK if options.quick else Sizes(),
        **{name: size for name, size in given.items() if size is not None},
    )


def _scenarios(text: str) -> list[str]:
    names = text.split(",")
    if unknown := [name for name in names if name not in SCENARIOS]:
        raise argparse.ArgumentTypeError(f"no such scenario: {', '.join(unknown)}; see --list")
    return names


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.run", description="The crawl beside its peers."
    )
    parser.add_argument("--list", action="store_true", help="name the scenarios and stop")
    parser.add_argument("--only", type=_scenarios, metavar="NAME,NAME", help="these scenarios, in this order")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that everything works")
    defaults = Sizes()
    for field in dataclasses.fields(Sizes):
        option = f"--{field.name.replace('_', '-')}"
        parser.add_argument(option, type=int, metavar="N", help=f"default: {getattr(defaults, field.name):,}")
    parser.add_argument("--server", choices=["auto", "nginx", "sandbox"], default="auto")
    parser.add_argument("--directory", type=Path, metavar="DIR", help="measure on the disk of this directory")
    parser.add_argument(
        "--results", type=Path, metavar="DIR", help="where to write; default: benchmarks/results"
    )
    parser.add_argument(
        "--write-readme", action="store_true", help="put all saved results into benchmarks/README.md"
    )
    parser.add_argument(
        "--readme-only",
        action="store_true",
        help="put the saved results into chart and README, measure nothing",
    )
    parser.add_argument(
        "--profile", type=Path, metavar="FILE.svg", help="only a flame graph of our crawl, by py-spy"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
