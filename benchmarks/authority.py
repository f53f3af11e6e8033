"""A certificate authority of this run, which every client is told to trust."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import trustme

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Authority:
    """Where its certificate and that of the server lie."""

    trusted: Path
    certificate: Path
    key: Path

    @classmethod
    def make(cls, directory: Path) -> Authority:
        ca = trustme.CA()
        issued = ca.issue_cert(HOST)
        paths = cls(directory / "ca.pem", directory / "server.pem", directory / "server.key")
        ca.cert_pem.write_to_path(str(paths.trusted))
        for blob in issued.cert_chain_pems:
            blob.write_to_path(str(paths.certificate), append=True)
        issued.private_key_pem.write_to_path(str(paths.key))
        return paths

    def environment(self) -> dict[str, str]:
        """What makes OpenSSL (aiohttp, this project) and requests trust it."""
        return {"SSL_CERT_FILE": str(self.trusted), "REQUESTS_CA_BUNDLE": str(self.trusted)}
