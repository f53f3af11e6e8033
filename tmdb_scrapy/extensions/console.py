"""The password of Scrapy's telnet console, in a file that only its owner can read.

Left to itself, Scrapy makes one up and writes it into the log. Whoever has it runs code as the user: it is as
secret as the API key.
"""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from tmdb_scrapy import privacy
from tmdb_scrapy.config import Secret

FILE = "console.password"


def console_password(data_dir: Path) -> Secret:
    """The password in `data_dir`, made when there is none, or when others could have read it.

    All workers that write there have the same. Raises `OSError`.
    """
    file = data_dir / FILE
    with suppress(FileNotFoundError):
        if stat.S_IMODE(file.stat().st_mode) & 0o077:
            file.unlink()
    if not file.exists():
        privacy.open_directory(data_dir)
        written = data_dir / f"{FILE}.{secrets.token_hex(8)}.partial"
        with os.fdopen(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as output:
            output.write(secrets.token_urlsafe(16))
        # A link, which fails where another worker was faster; then its password counts.
        with suppress(FileExistsError):
            file.hardlink_to(written)
        written.unlink()
    return Secret(file.read_text(encoding="ascii"))
