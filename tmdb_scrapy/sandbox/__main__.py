"""`python -m tmdb_scrapy.sandbox`: the sandbox without Scrapy."""

from __future__ import annotations

import argparse
import sys

from tmdb_scrapy.sandbox.options import add_options
from tmdb_scrapy.sandbox.server import serve


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tmdb_scrapy.sandbox", description="A stand-in TMDb.")
    add_options(parser)
    try:
        serve(parser.parse_args())
    except (ValueError, OSError) as problem:
        sys.exit(f"sandbox: {problem}")


if __name__ == "__main__":
    main()
