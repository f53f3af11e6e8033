"""The sandbox's command line options, shared by `scrapy sandbox` and `python -m tmdb_scrapy.sandbox`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import msgspec

from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.sandbox.catalogue.catalogue import Catalogue
from tmdb_scrapy.sandbox.catalogue.generated import GeneratedCatalogue, usual_count
from tmdb_scrapy.sandbox.catalogue.layered import LayeredCatalogue
from tmdb_scrapy.sandbox.catalogue.records import RecordCatalogue
from tmdb_scrapy.sandbox.catalogue.world import World
from tmdb_scrapy.sandbox.server import arguments
from tmdb_scrapy.sandbox.server.export import ExportFault
from tmdb_scrapy.sandbox.server.faults import FAULTS
from tmdb_scrapy.sandbox.server.limits import LimitKind
from tmdb_scrapy.sandbox.server.settings import Down, Settings

_RESET = "reset"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add every option, in groups."""
    _add_server_options(parser.add_argument_group("Server"))
    _add_catalogue_options(parser.add_argument_group("Catalogue"))
    _add_export_options(parser.add_argument_group("Export"))
    _add_limit_options(parser.add_argument_group("Limits (can be changed while it runs)"))
    _add_fault_options(parser.add_argument_group("Faults (can be changed while it runs)"))
    _add_day_options(parser.add_argument_group("Days (can be changed while it runs)"))


def parsed(args: Sequence[str]) -> argparse.Namespace:
    """The options that these arguments say. Exits with 2 for arguments that cannot be."""
    parser = argparse.ArgumentParser(prog="python -m tmdb_scrapy.sandbox", description="A stand-in TMDb.")
    add_options(parser)
    return parser.parse_args(args)


def build_catalogue(options: argparse.Namespace) -> Catalogue:
    """The catalogue of day 0 that the options describe.

    Records from files replace the generated ones of their kind, unless a number of those was given.
    Raises ValueError or OSError naming the file that cannot be used.
    """
    records = RecordCatalogue(options.seed)
    for kind, path in options.catalogue:
        records.read_lines(path, kind)
    if options.recorded:
        records.read_recordings(options.recorded)
    counts = {}
    for kind in KINDS:
        usual = 0 if any(True for _ in records.ids(kind)) else usual_count(kind)
        given: int | None = getattr(options, _count_of(kind))
        counts[kind] = usual if given is None else given
    generated = GeneratedCatalogue(
        counts,
        options.seed,
        options.body_size,
        deleted_share=options.deleted_share,
        successful=options.successful,
        changed_share=options.changed_share,
    )
    return LayeredCatalogue([records, generated]) if options.catalogue or options.recorded else generated


def build_settings(options: argparse.Namespace) -> Settings:
    """The initial limits, faults and day. Raises ValueError for a value that is not allowed."""
    given = vars(options)
    values = {name: given[name] for name in Settings.__struct_fields__}
    values["faults"] = dict(options.faults)
    values["without_appended"] = dict(options.without_appended)
    values["broken_appended"] = dict(options.broken_appended)
    values["down"] = True if options.down == _RESET else options.down
    try:
        return msgspec.convert(values, Settings)
    except msgspec.ValidationError as problem:
        raise ValueError(str(problem)) from problem


def _count_of(kind: str) -> str:
    """Where the parser leaves how many records of a kind were asked for."""
    return f"count_of_{kind}"


def _add_server_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    group.add_argument(
        "--port", type=arguments.port, default=0, help="port to listen on (default: a free one)"
    )
    group.add_argument("--tls-cert", metavar="FILE", type=Path, help="certificate chain; serves https")
    group.add_argument("--tls-key", metavar="FILE", type=Path, help="key of the certificate")
    group.add_argument("--journal", metavar="FILE", type=Path, help="write a JSON line for each API request")
    group.add_argument("--key", action="append", default=[], metavar="KEY", help="a valid key (default: any)")
    group.add_argument(
        "--suspended-key", action="append", default=[], metavar="KEY", help="leads to a 401, code 10"
    )


def _add_catalogue_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--seed", type=int, default=0, help="of everything generated (default: %(default)s)")
    for kind in KINDS:
        group.add_argument(
            f"--{kind}",
            dest=_count_of(kind),
            type=arguments.count,
            metavar="N",
            help=f"generated {kind} (default: {usual_count(kind)})",
        )
    group.add_argument(
        "--successful",
        type=arguments.count,
        metavar="N",
        help="about so many movies with a revenue of 10,000,000 or more (default: a quarter)",
    )
    group.add_argument(
        "--deleted-share",
        type=arguments.share,
        default=World.deleted_share,
        metavar="SHARE",
        help="exported IDs that lead to a 404, the most popular among them (default: 1 %%)",
    )
    group.add_argument(
        "--body-size", type=arguments.count, default=0, metavar="BYTES", help="pad every body to this size"
    )
    group.add_argument(
        "--catalogue",
        type=arguments.records_file,
        action="append",
        default=[],
        metavar="[KIND=]FILE",
        help="real records, one JSON object a line; can be given more than once",
    )
    group.add_argument("--recorded", type=Path, metavar="DIR", help="recorded bodies, served byte for byte")


def _add_export_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--export-missing-days",
        type=arguments.count,
        default=0,
        metavar="N",
        help="the newest N files are not published",
    )
    group.add_argument(
        "--export-malformed", type=arguments.count, default=0, metavar="N", help="lines that are not records"
    )
    group.add_argument(
        "--export-fault",
        choices=get_args(ExportFault),
        default="none",
        help="serve a broken gzip file, always or the first time",
    )


def _add_limit_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--limit-per-ip", type=float, default=0, metavar="R", help="requests a second; 0 = none"
    )
    group.add_argument(
        "--limit-per-key", type=float, default=0, metavar="R", help="requests a second; 0 = none"
    )
    group.add_argument("--limit-burst", type=int, default=0, metavar="N", help="default: one second's worth")
    group.add_argument("--limit-kind", choices=get_args(LimitKind), default="bucket")
    group.add_argument(
        "--retry-after",
        type=arguments.retry_after,
        default="none",
        metavar="SECONDS",
        help="sent with a 429 (default: none)",
    )
    group.add_argument(
        "--retry-after-every",
        type=arguments.count,
        default=1,
        metavar="N",
        help="send it with every Nth 429 only",
    )
    group.add_argument(
        "--connections-per-ip", type=int, default=0, metavar="N", help="resets more; 0 = no limit"
    )
    group.add_argument("--latency-ms", type=float, default=0, metavar="N")
    group.add_argument("--latency-jitter-ms", type=float, default=0, metavar="N")


def _add_fault_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--fault",
        dest="faults",
        type=arguments.fault,
        action="append",
        default=[],
        metavar="KIND=SHARE",
        help="share of requests for records, for example 503=0.05; kinds: "
        + ", ".join(f"{name} ({what})" for name, what in FAULTS.items()),
    )
    group.add_argument(
        "--poison", type=arguments.ids, default=[], metavar="ID,ID", help="these always lead to a 500"
    )
    for option, what in (
        ("--without-appended", "left out without a word"),
        ("--broken-appended", "an error"),
    ):
        group.add_argument(
            option,
            type=arguments.name_and_share,
            action="append",
            default=[],
            metavar="NAME[=SHARE]",
            help=f"what is to be appended is {what}, for this share of requests (default: all)",
        )
    group.add_argument(
        "--down",
        choices=[_RESET, *get_args(Down)],
        default=False,
        help="for every request, the export's files too: a reset, or what somebody else sends; 503: the API",
    )


def _add_day_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--day", type=arguments.count, default=0, metavar="N", help="days since the catalogue was made"
    )
    group.add_argument(
        "--today", type=arguments.day, metavar="DATE", help="date of the present day (default: today, UTC)"
    )
    group.add_argument(
        "--changed-share",
        type=arguments.share,
        default=World.changed_share,
        metavar="SHARE",
        help="records edited a day; others come, go and come back (default: %(default)s)",
    )
    group.add_argument(
        "--late-changes",
        type=arguments.share,
        default=0,
        metavar="SHARE",
        help="of the present day's changes, told on the next day",
    )
    group.add_argument(
        "--stale-records",
        type=arguments.share,
        default=0,
        metavar="SHARE",
        help="records served as they were the day before",
    )
    group.add_argument(
        "--shifting-pages",
        type=arguments.count,
        default=0,
        metavar="N",
        help="pages of discover lie up to N places elsewhere",
    )
