"""Which hosts see the same working directory (homes on NFS): asked afresh each time, never remembered."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import TypedDict

from deploy.on_host import processes, workspace

CONTENT_DEADLINE_S = 30.0


class SignedIn(TypedDict):
    """What a host says in a survey."""

    first: str
    """Who came first to it in this working directory: this host, or another that shares the directory."""
    hostname: str
    boot: str
    """Tells machines apart whose host names are the same, as clones' are."""


def sign_in(working_dir: str, survey: str, name: str, create: bool) -> SignedIn:
    """Take part in the survey called `survey` as `name`.

    `survey` is a random token of this run, so a copied disk image is not mistaken for a shared home.
    Exclusive creation is atomic on NFS too (RFC 1813, CREATE with EXCLUSIVE).
    """
    path = workspace.create(working_dir) if create else workspace.require(working_dir)
    return {
        "first": _first(path / f".survey-{survey}", name),
        "hostname": workspace.hostname(),
        "boot": processes.BOOT_ID.read_text().strip(),
    }


def _first(sheet: Path, name: str) -> str:
    with contextlib.suppress(FileExistsError):
        with sheet.open("x", encoding="utf-8") as file:
            file.write(name + "\n")
        return name
    deadline = time.monotonic() + CONTENT_DEADLINE_S
    while time.monotonic() < deadline:
        first = sheet.read_text(encoding="utf-8")
        if first.endswith("\n"):
            return first[:-1]
        time.sleep(0.05)  # the other host has made the file and not yet written its name
    raise workspace.Problem(f"{sheet} stays empty", "another host cannot write there: is its disk full?")


def sign_out(working_dir: str, survey: str) -> bool:
    """Take the sheet away; False if it was gone."""
    try:
        (workspace.require(working_dir) / f".survey-{survey}").unlink()
    except FileNotFoundError:
        return False
    return True
