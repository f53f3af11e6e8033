"""Every host sends its own parts to the share: `scrapy upload KIND --parts` runs where the parts are."""

from __future__ import annotations

import subprocess

from deploy.on_host import processes, workspace
from deploy.on_host.install import project
from deploy.on_host.run import workers

LAST_LINES = 5


def upload_parts(working_dir: str, kind: str, not_passed_on: list[str], share: dict[str, str]) -> str:
    """The last line that the upload said; `not_passed_on` as in `workers.launch`. Raises `Problem` when it
    failed.

    `share`, its link and password, is for the uploading process alone and is written nowhere here.
    """
    path = workspace.require(working_dir)
    current = project.current(path)
    # A host that came late finds only movies that nobody keeps: the popular ones come first.
    if not any((path / "data" / kind / "parts").glob("*.jsonl")):
        return "no parts here"
    # Other hosts that share the directory were asked to forget their dead just before.
    processes.forget_the_dead(path)
    writing = sorted({record.parent.name for record in path.glob(f"run/*/{kind}-*.json")})
    if writing:
        raise workspace.Problem(
            f"workers on {', '.join(writing)} still write to these parts, and what grows is not uploaded",
            "run make stop, or wait for the end of the crawl, then make upload-parts again",
        )
    upload = subprocess.run(
        [str(current.python), "-m", "scrapy", "upload", kind, "--parts"],
        cwd=str(current.release),
        env={**workers.environment_without(not_passed_on), **share},
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
