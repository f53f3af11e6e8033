"""Whether what a share has is the file itself, or its beginning, or something else."""

from __future__ import annotations

from tmdb_scrapy.nextcloud.answers import Answer, RemoteFile, UploadError
from tmdb_scrapy.nextcloud.local_file import LocalFile
from tmdb_scrapy.nextcloud.share import Share


class DifferentFileError(UploadError):
    """The share has another file under the name; nothing was done to it."""


def is_copy(remote: RemoteFile, file: LocalFile) -> bool:
    """Whether it looks like `file`: the checksum decides where the server tells one, else the size does."""
    return remote.size == file.size and remote.sha256 in {None, file.sha256()}


async def is_beginning(share: Share, name: str, remote: RemoteFile, file: LocalFile) -> bool:
    """Whether `file` starts with all that is under `name`, so that storing it there loses nothing.

    An upload that broke off leaves such a file, and so does one of a part that has grown since. The bytes
    themselves are compared, up to the first that differ: no property tells a torn upload from another's
    file. False where the share does not let them be read. Raises `UploadError` when they cannot be read now.
    """
    if remote.is_folder or remote.size is None or remote.size >= file.size:
        return False
    comparison = _Comparison(file)

    async def attempt() -> Answer:
        nonlocal comparison
        comparison = _Comparison(file)
        return await share.read(name, comparison.take)

    answer = await share.wire.repeat(attempt)
    if answer.is_transient:
        raise share.wire.refusal(answer, f"comparing {name} with {file.path}")
    return answer.status == 200 and comparison.agrees and comparison.compared == remote.size


class _Comparison:
    """Of what comes from the share with the beginning of a local file."""

    def __init__(self, file: LocalFile) -> None:
        self._file = file
        self.compared = 0
        """Bytes that were found to agree."""
        self.agrees = True

    def take(self, block: bytes) -> bool:
        """Compare the next bytes; False once some differ."""
        self.agrees = block == self._file.read(self.compared, len(block))
        if self.agrees:
            self.compared += len(block)
        return self.agrees


def different(share: Share, file: LocalFile, name: str, remote: RemoteFile) -> DifferentFileError:
    """The error for a file that may not be overwritten."""
    return DifferentFileError(
        f"{share.host}: the share has a different {name} ({_difference(remote, file)}). Replace it with "
        "--replace, or upload under another name with --name"
    )


def _difference(remote: RemoteFile, file: LocalFile) -> str:
    if remote.size is None:
        return "of a size that the server does not tell"
    return "another checksum" if remote.size == file.size else f"{remote.size:,} bytes, not {file.size:,}"
