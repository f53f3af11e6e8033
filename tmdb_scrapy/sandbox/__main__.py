"""`python -m tmdb_scrapy.sandbox`: the sandbox without Scrapy."""

from __future__ import annotations

import sys

from tmdb_scrapy.sandbox.server.options import parsed
from tmdb_scrapy.sandbox.server.server import serve


def main() -> None:
    options = parsed(sys.argv[1:])
    try:
        serve(options)
    except (ValueError, OSError) as problem:
        sys.exit(f"sandbox: {problem}")


if __name__ == "__main__":
    main()
