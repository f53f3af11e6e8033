"""``scrapy filter KIND``: the filter's rule, with any limits, over the merged file."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

from scrapy.commands import ScrapyCommand

from tmdb_scrapy import arguments
from tmdb_scrapy.commands.base import CommandFailed, TmdbCommand, plural
from tmdb_scrapy.kinds import KINDS, Kind
from tmdb_scrapy.records.part import merged_file
from tmdb_scrapy.records.refilter import Refiltered, refilter
from tmdb_scrapy.watch.bars import bytes_bar
from tmdb_scrapy.whole_file import whole_file

STANDARD_OUTPUT = "-"
_FILTERED = {kind.name: kind for kind in KINDS.values() if kind.filter}
_LIMITS = {key for kind in _FILTERED.values() if kind.filter for key in kind.filter.limits}


class Command(TmdbCommand, ScrapyCommand):
    """Writes the lines that qualify to DATA_DIR/KIND.filtered.jsonl. Neither the merged file nor the ledger
    changes, no Redis is needed, and FILTER does not matter: crawl with FILTER=off, filter as often as you
    like."""

    def short_desc(self) -> str:
        return "Write the records of the merged file that qualify, by any limits"

    def syntax(self) -> str:
        return f"[options] {{{','.join(_FILTERED)}}}"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument("kind", choices=_FILTERED, metavar="KIND", help=" or ".join(_FILTERED))
        for key in sorted(_LIMITS):
            parser.add_argument(
                f"--{key.lower().replace('_', '-')}",
                type=arguments.amount,
                metavar="N",
                help=f"in place of {key}",
            )
        parser.add_argument(
            "-o",
            "--output",
            metavar="FILE",
            help="- for standard output (default: DATA_DIR/KIND.filtered.jsonl)",
        )

    def execute(self, opts: argparse.Namespace) -> None:
        kind = _FILTERED[opts.kind]
        merged = merged_file(self.config.data_dir, kind)
        if not merged.exists():
            raise CommandFailed(f"{merged} does not exist. Run first: scrapy merge {kind.name}")
        given = {key: value for key in _LIMITS if (value := getattr(opts, key.lower())) is not None}
        target = opts.output or str(merged.with_suffix(".filtered.jsonl"))
        if Path(target).exists() and merged.samefile(target):
            raise CommandFailed(f"{target} is the merged file itself: give -o another name")
        self._say(kind, self._filter(kind, merged, {**self.config.of_kinds, **given}, target), target)

    def _filter(self, kind: Kind, merged: Path, limits: dict[str, object], target: str) -> Refiltered:
        with bytes_bar(f"filtering {kind.name}", merged.stat().st_size) as bar:
            filtered = partial(refilter, merged, kind, limits, report=bar.advance)
            if target == STANDARD_OUTPUT:
                sys.stdout.flush()
                result = filtered(output=sys.stdout.buffer)
                sys.stdout.buffer.flush()
                return result
            with whole_file(Path(target)) as output:
                return filtered(output=output)

    def _say(self, kind: Kind, result: Refiltered, target: str) -> None:
        """On stderr where the lines are on stdout. Raises `CommandFailed`."""
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in sorted(result.dropped.items()))
        told = f"{target}: {plural(result.kept, 'lines')}; left out {result.dropped.total():,}"
        stream = sys.stderr if target == STANDARD_OUTPUT else sys.stdout
        print(told + (f" ({reasons})" if reasons else ""), file=stream, flush=True)
        assert kind.filter is not None
        if result.undecided:
            raise CommandFailed(
                f"{plural(result.undecided, 'lines')} were left out undecided, for they lack "
                f"{', '.join(kind.filter.needs)}: {kind.append_key} has to name that when they are fetched"
            )
        if result.broken:
            raise CommandFailed(
                f"{plural(result.broken, 'lines')} are no whole records; scrapy merge {kind.name} --check"
            )
