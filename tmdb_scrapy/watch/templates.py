"""Pages made of templates: whatever is put into one is text there, never markup."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment


def templates(
    package: str, directory: str, finalize: Callable[[object], object] | None = None
) -> Environment:
    """Those in a directory of a package. `finalize` is given each value before it is escaped; only what is
    marked as safe is not, which was escaped by who marked it."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader(package, directory),
        autoescape=True,
        finalize=finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
