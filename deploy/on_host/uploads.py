"""Every host sends its own parts to the share: `scrapy upload KIND --parts` runs where the parts are."""

from __future__ import annotations

import subprocess

from deploy.on_host import workspace

LAST_LINES = 5


def upload_parts(working_dir: str, kind: str) -> str:
    """The last line that the upload said. Raises `Problem` when it failed."""
    path = workspace.require(working_dir)
    python = path / "project" / ".venv" / "bin" / "python"
    if not python.exists():
        raise workspace.Problem("the project is not installed here", "run make init first")
    # A host that came late finds only movies that nobody keeps: the popular ones come first.
    if not any((path / "data" / kind / "parts").glob("*.jsonl")):
        return "no parts here"
    upload = subprocess.run(
        [str(python), "-m", "scrapy", "upload", kind, "--parts"],
        cwd=str(path / "project"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said = upload.stdout.strip().splitlines() or ["nothing said"]
    if upload.returncode != 0:
        raise workspace.Problem(
            f"the upload ended with status {upload.returncode}: {' / '.join(said[-LAST_LINES:])}",
            "check NEXTCLOUD_UPLOAD and NEXTCLOUD_PASSWORD in .env, then make upload-parts again",
        )
    return said[-1]
