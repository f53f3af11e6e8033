"""The sandbox's command line options, shared by `scrapy sandbox` and `python -m tmdb_scrapy.sandbox`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import msgspec

from tmdb_scrapy.sandbox.catalogue.catalogue import Catalogue
from tmdb_scrapy.sandbox.catalogue.generated import GeneratedCatalogue
from tmdb_scrapy.sandbox.catalogue.layered import LayeredCatalogue
from tmdb_scrapy.sandbox.catalogue.records import RecordCatalogue
from tmdb_scrapy.sandbox.server.faults import FAULTS
from tmdb_scrapy.sandbox.server.limits import LimitKind
from tmdb_scrapy.sandbox.server.settings import Settings

_MOVIES = 3000
_PEOPLE = 500
_HIGHEST_PORT = 65535


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add every option in groups: server, catalogue, keys, export, limits, faults."""
    server = parser.add_argument_group("Server")
    server.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    server.add_argument("--port", type=_port, default=0, help="port to listen on (default: a free one)")
    server.add_argument("--tls-cert", metavar="FILE", type=Path, help="certificate chain; serves https")
    server.add_argument("--tls-key", metavar="FILE", type=Path, help="key of the certificate")
    server.add_argument("--journal", metavar="FILE", type=Path, help="write a JSON line for each API request")
    _add_catalogue_options(parser.add_argument_group("Catalogue"))
    _add_export_options(parser.add_argument_group("Export"))
    _add_behaviour_options(parser.add_argument_group("Limits and faults (can be changed while it runs)"))


def parsed(args: Sequence[str]) -> argparse.Namespace:
    """The options that these arguments say. Exits with 2 for arguments that cannot be."""
    parser = argparse.ArgumentParser(prog="python -m tmdb_scrapy.sandbox", description="A stand-in TMDb.")
    add_options(parser)
    return parser.parse_args(args)


def build_catalogue(options: argparse.Namespace) -> Catalogue:
    """The catalogue that the options describe.

    Records from files replace the generated ones of their kind, unless a number of those was given.
    Raises ValueError or OSError naming the file that cannot be used.
    """
    if not options.catalogue and not options.recorded:
        return _generated(options, _MOVIES, _PEOPLE)
    records = RecordCatalogue(options.seed)
    if options.catalogue:
        records.read_lines(options.catalogue)
    if options.recorded:
        records.read_recordings(options.recorded)
    movies = 0 if any(True for _ in records.ids("movies")) else _MOVIES
    people = 0 if any(True for _ in records.ids("people")) else _PEOPLE
    return LayeredCatalogue([records, _generated(options, movies, people)])


def build_settings(options: argparse.Namespace) -> Settings:
    """The initial limits and faults. Raises ValueError for a value that is not allowed."""
    values = {
        "limit_per_ip": options.limit_per_ip,
        "limit_per_key": options.limit_per_key,
        "limit_burst": options.limit_burst,
        "limit_kind": options.limit_kind,
        "retry_after": options.retry_after,
        "retry_after_every": options.retry_after_every,
        "connections_per_ip": options.connections_per_ip,
        "latency_ms": options.latency_ms,
        "latency_jitter_ms": options.latency_jitter_ms,
        "faults": dict(options.fault),
        "poison": options.poison,
    }
    try:
        return msgspec.convert(values, Settings)
    except msgspec.ValidationError as problem:
        raise ValueError(str(problem)) from problem


def _generated(options: argparse.Namespace, movies: int, people: int) -> GeneratedCatalogue:
    counts = {
        "movies": movies if options.movies is None else options.movies,
        "people": people if options.people is None else options.people,
    }
    return GeneratedCatalogue(counts, options.seed, options.body_size)


def _add_catalogue_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--seed", type=int, default=0, help="of everything generated (default: %(default)s)")
    group.add_argument("--movies", type=_count, metavar="N", help=f"generated movies (default: {_MOVIES})")
    group.add_argument("--people", type=_count, metavar="N", help=f"generated people (default: {_PEOPLE})")
    group.add_argument(
        "--body-size", type=_count, default=0, metavar="BYTES", help="pad every body to this size"
    )
    group.add_argument("--catalogue", type=Path, metavar="FILE", help="real records, one JSON object a line")
    group.add_argument("--recorded", type=Path, metavar="DIR", help="recorded bodies, served byte for byte")
    group.add_argument("--key", action="append", default=[], metavar="KEY", help="a valid key (default: any)")
    group.add_argument(
        "--suspended-key", action="append", default=[], metavar="KEY", help="answers 401, code 10"
    )


def _add_export_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--export-missing-days",
        type=_count,
        default=0,
        metavar="N",
        help="the newest N files are not published",
    )
    group.add_argument(
        "--export-malformed", type=_count, default=0, metavar="N", help="lines that are not records"
    )
    group.add_argument(
        "--export-fault",
        choices=["none", "truncate", "truncate-once", "corrupt", "corrupt-once"],
        default="none",
        help="serve a broken gzip file, always or the first time",
    )


def _add_behaviour_options(group: argparse._ArgumentGroup) -> None:
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
        type=_retry_after,
        default="none",
        metavar="SECONDS",
        help="sent with a 429 (default: none)",
    )
    group.add_argument(
        "--retry-after-every", type=_count, default=1, metavar="N", help="send it with every Nth 429 only"
    )
    group.add_argument(
        "--connections-per-ip", type=int, default=0, metavar="N", help="resets more; 0 = no limit"
    )
    group.add_argument("--latency-ms", type=float, default=0, metavar="N")
    group.add_argument("--latency-jitter-ms", type=float, default=0, metavar="N")
    group.add_argument(
        "--fault",
        type=_fault,
        action="append",
        default=[],
        metavar="KIND=SHARE",
        help=f"share of requests, for example 503=0.05; kinds: {', '.join(FAULTS)}",
    )
    group.add_argument("--poison", type=_ids, default=[], metavar="ID,ID", help="these always answer 500")


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r}: expected a whole number from 0")
    return int(text)


def _port(text: str) -> int:
    port = _count(text)
    if port > _HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a port from 0 to {_HIGHEST_PORT}")
    return port


def _retry_after(text: str) -> int | str:
    return text if text == "none" else _count(text)


def _fault(text: str) -> tuple[str, float]:
    kind, _, share = text.partition("=")
    try:
        return kind, float(share)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: expected KIND=SHARE, for example 503=0.05") from None


def _ids(text: str) -> list[int]:
    try:
        return [int(number) for number in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: expected IDs parted by commas") from None
