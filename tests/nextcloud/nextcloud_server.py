"""A WebDAV server that keeps Nextcloud's rules for public shares.

wsgidav stores the files and speaks WebDAV; the middleware in front of it decides who may do what, as
Nextcloud does, and fails where it is told to.
"""

from __future__ import annotations

import base64
import errno
import hashlib
import re
import shutil
import socket
import struct
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from cheroot import wsgi
from cheroot.server import HTTPConnection
from cheroot.ssl.builtin import BuiltinSSLAdapter
from wsgidav.fs_dav_provider import FileResource, FilesystemProvider
from wsgidav.util import get_file_etag
from wsgidav.wsgidav_app import WsgiDAVApp

TOKEN = "Qq7wErTy12345zX"
Environ = dict[str, Any]
StartResponse = Callable[..., Any]


class RefusalError(Exception):
    """An answer of the middleware's own."""

    def __init__(self, status: str, message: str = "", sabre: bool = True) -> None:
        self.status = status
        self.body = (
            f'<?xml version="1.0"?><d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns"><s:exception>'
            f"Sabre\\DAV\\Exception</s:exception><s:message>{message}</s:message></d:error>"
            if sabre
            else f"<html><h1>{status}</h1></html>"
        )


class Rules:
    """What this Nextcloud is like; tests change it between requests."""

    password = ""
    upload_only = False
    has_current_endpoint = True
    has_legacy_endpoint = True
    absent_status = "404 Not Found"
    has_chunked_upload = True
    needs_nickname = False
    hashes_on_request = False
    keeps_checksums = False
    permissions: str | None = None
    may_rename = True
    may_delete = True
    request_limit_bytes = 1 << 40
    may_download = True
    failing_downloads = 0
    """So many GETs are answered with 503."""
    refuse_overwriting_with = ""
    truncated_puts = 0
    """So many PUTs keep half of the body under the final name, and are answered with `truncation`."""
    truncation = ("500 Internal Server Error", "")
    failing_puts = 0
    """So many PUTs are answered with 503 and not done; `late_rival` is stored then."""
    late_rival = b""
    broken_puts = 0
    """So many PUTs keep half of the body and reset the connection."""
    failing_moves = 0
    """So many MOVEs are done and then answered with 502."""
    failing_requests = 0
    """So many requests, of any method, are answered with 503 and not done."""
    refuse_puts_with = ""
    rival = b""
    """What another uploader stores under the same name just before a PUT or an assembly."""


class NextcloudServer:
    """`https://…/cloud`, with one public share whose files lie in `folder`.

    `certificate` is a PEM file with a private key and its certificate; without it, the server speaks HTTP.
    """

    def __init__(self, root: Path, certificate: Path | None = None, host: str = "127.0.0.1") -> None:
        self.folder, self.uploads = root / "share", root / "uploads"
        self.folder.mkdir()
        self.uploads.mkdir()
        self._provider = _Provider(self.folder)
        self._files, self._chunks = _dav(self._provider), _dav(_Provider(self.uploads))
        self.rules = self._provider.rules = Rules()
        self.requests: list[str] = []
        self.unauthorized = 0
        self._server = _Server(self, host)
        if certificate:
            self._server.ssl_adapter = BuiltinSSLAdapter(str(certificate), str(certificate))
        self._server.prepare()
        scheme = "https" if certificate else "http"
        self.url = f"{scheme}://{host}:{self._server.bind_addr[1]}/cloud"
        self.link = f"{self.url}/s/{TOKEN}"
        self._thread = threading.Thread(target=self._server.serve, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.stop()
        self._thread.join()

    def files(self) -> dict[str, bytes]:
        """Each file's path below the top of the share, and its content."""
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in self.folder.rglob("*")
            if path.is_file()
        }

    def count(self, method: str) -> int:
        return sum(request.startswith(f"{method} ") for request in self.requests)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        self.requests.append(f"{method} {path}")
        try:
            self._check_request(environ, method)
            return self._route(environ, start_response, method, path)
        except RefusalError as refusal:
            self.unauthorized += refusal.status.startswith("401")
            body = refusal.body.encode()
            headers = [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))]
            start_response(refusal.status, headers)
            return [body]

    def _check_request(self, environ: Environ, method: str) -> None:
        if self.rules.failing_requests:
            self.rules.failing_requests -= 1
            raise RefusalError("503 Service Unavailable", sabre=False)
        if int(environ.get("CONTENT_LENGTH") or 0) > self.rules.request_limit_bytes:
            raise RefusalError("413 Request Entity Too Large", sabre=False)
        if environ.get("HTTP_X_REQUESTED_WITH") != "XMLHttpRequest":
            raise RefusalError("401 Unauthorized", "Cannot authenticate over ajax calls")
        if method == "PUT" and environ.get("HTTP_TRANSFER_ENCODING"):
            raise RefusalError("411 Length Required", sabre=False)

    def _route(
        self, environ: Environ, start_response: StartResponse, method: str, path: str
    ) -> Iterable[bytes]:
        rules = self.rules
        current = re.fullmatch(r"/cloud/public\.php/dav/(files|uploads)/([^/]*)(/.*)?", path)
        if current and rules.has_current_endpoint:
            kind, token, rest = current.groups(default="/")
            if token != TOKEN:
                raise RefusalError("503 Service Unavailable", r"Sabre\DAV\Exception\NotFound: ")
            if rules.password and _credentials(environ) != ("anonymous", rules.password):
                raise RefusalError("401 Unauthorized", "Username or password was incorrect")
            if kind == "uploads":
                return self._serve_chunks(environ, start_response, method, rest)
            return self._serve_files(environ, start_response, method, rest)
        if path.startswith("/cloud/public.php/webdav/") and rules.has_legacy_endpoint:
            if _credentials(environ) != (TOKEN, rules.password):
                raise RefusalError("401 Unauthorized", "Username or password was incorrect")
            return self._serve_files(
                environ, start_response, method, path.removeprefix("/cloud/public.php/webdav")
            )
        raise RefusalError(rules.absent_status, sabre=False)

    def _serve_files(
        self, environ: Environ, start_response: StartResponse, method: str, path: str
    ) -> Iterable[bytes]:
        rules = self.rules
        if (method == "MOVE" and not rules.may_rename) or (method == "DELETE" and not rules.may_delete):
            raise RefusalError("403 Forbidden", f"no permission for /{TOKEN}{path}")
        if rules.upload_only:
            path = self._as_file_drop(environ, method, path)
        if method == "GET":
            self._check_download(path)
        if method == "PUT":
            return self._put(environ, start_response, path)
        if method == "MOVE":
            return self._move(environ, start_response, path)
        return self._pass_on(self._files, environ, start_response, path)

    def _as_file_drop(self, environ: Environ, method: str, path: str) -> str:
        if method != "PUT":
            raise RefusalError("405 Method Not Allowed", "Only PUT is allowed on files drop")
        if self.rules.needs_nickname and not environ.get("HTTP_X_NC_NICKNAME"):
            raise RefusalError("400 Bad Request", "A nickname header is required when uploading subfolders")
        stem, dot, suffix = path.lstrip("/").partition(".")
        name, number = path.lstrip("/"), 1
        while (self.folder / name).exists():
            number += 1
            name = f"{stem} ({number}){dot}{suffix}"
        return f"/{name}"

    def _check_download(self, path: str) -> None:
        if not self.rules.may_download:
            raise RefusalError("403 Forbidden", f"no permission for /{TOKEN}{path}")
        if self.rules.failing_downloads:
            self.rules.failing_downloads -= 1
            raise RefusalError("503 Service Unavailable", sabre=False)

    def _put(self, environ: Environ, start_response: StartResponse, path: str) -> Iterable[bytes]:
        rules, target = self.rules, self.folder / path.lstrip("/")
        if rules.refuse_puts_with:
            raise RefusalError(rules.refuse_puts_with, f"not at /{TOKEN}{path}")
        if rules.rival:
            target.write_bytes(rules.rival)
        if rules.refuse_overwriting_with and target.exists():
            raise RefusalError(rules.refuse_overwriting_with, f"no permission for /{TOKEN}{path}")
        self._check_conditions(environ, target)
        self._fail_put(environ, target)

        def start_with_hash(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            if rules.hashes_on_request and environ.get("HTTP_X_HASH") == "sha256" and target.exists():
                headers = [*headers, ("X-Hash-SHA256", hashlib.sha256(target.read_bytes()).hexdigest())]
            return start_response(status, headers, *rest)

        answer = list(self._pass_on(self._files, environ, start_with_hash, path))
        checksum = environ.get("HTTP_OC_CHECKSUM")
        if checksum and rules.keeps_checksums:
            self._provider.checksums[path] = checksum
        return answer

    def _fail_put(self, environ: Environ, target: Path) -> None:
        rules = self.rules
        if rules.failing_puts:
            rules.failing_puts -= 1
            if rules.late_rival:
                target.write_bytes(rules.late_rival)
            raise RefusalError("503 Service Unavailable", sabre=False)
        if rules.truncated_puts or rules.broken_puts:
            half = int(environ["CONTENT_LENGTH"]) // 2
            target.write_bytes(environ["wsgi.input"].read(half))
            if rules.broken_puts:
                rules.broken_puts -= 1
                raise DeliberateResetError
            rules.truncated_puts -= 1
            environ["wsgi.input"].read()
            status, message = rules.truncation
            if message and environ.get("HTTP_ACCEPT_LANGUAGE") != "en":
                message = "in the language of whoever installed the server"
            raise RefusalError(status, message, sabre=bool(message))

    def _check_conditions(self, environ: Environ, target: Path) -> None:
        """wsgidav would check them too, but some of the faults are answered without it."""
        etag = f'"{get_file_etag(str(target))}"' if target.exists() else None
        if (environ.get("HTTP_IF_NONE_MATCH") == "*" and etag) or (
            "HTTP_IF_MATCH" in environ and environ["HTTP_IF_MATCH"] != etag
        ):
            raise RefusalError("412 Precondition Failed", "An If-Match or If-None-Match header was specified")

    def _move(self, environ: Environ, start_response: StartResponse, path: str) -> Iterable[bytes]:
        answer = list(self._pass_on(self._files, environ, start_response, path))
        if self.rules.failing_moves:
            self.rules.failing_moves -= 1
            raise RefusalError("502 Bad Gateway", sabre=False)
        return answer

    def _serve_chunks(
        self, environ: Environ, start_response: StartResponse, method: str, path: str
    ) -> Iterable[bytes]:
        if not self.rules.has_chunked_upload:
            raise RefusalError("405 Method Not Allowed", "")
        if method == "MOVE":
            return self._assemble(environ, start_response, self.uploads / path.lstrip("/").partition("/")[0])
        if method == "PUT" and not re.search(r"/\d{5}$", path):
            raise RefusalError("400 Bad Request", "Invalid chunk name, must be numeric between 1 and 10000")
        return self._pass_on(self._chunks, environ, start_response, path)

    def _assemble(self, environ: Environ, start_response: StartResponse, chunks: Path) -> Iterable[bytes]:
        path = _below_top(environ["HTTP_DESTINATION"])
        if self.rules.upload_only:
            path = self._as_file_drop({**environ, "REQUEST_METHOD": "PUT"}, "PUT", path)
        target = self.folder / path.lstrip("/")
        if self.rules.rival:
            target.write_bytes(self.rules.rival)
        if target.exists() and environ.get("HTTP_OVERWRITE") == "F":
            raise RefusalError("412 Precondition Failed", "The destination node already exists")
        if "HTTP_IF" in environ:
            condition = re.fullmatch(r"<(\S+)> \(\[(\S+)\]\)", environ["HTTP_IF"])
            assert condition and condition[1] == environ["HTTP_DESTINATION"]
            etag = condition[2]
            self._check_conditions({**environ, "HTTP_IF_MATCH": etag}, target)
        body = b"".join(chunk.read_bytes() for chunk in sorted(chunks.iterdir()))
        if len(body) != int(environ["HTTP_OC_TOTAL_LENGTH"]):
            raise RefusalError("400 Bad Request", "Chunks on server do not sum up")
        target.write_bytes(body)
        shutil.rmtree(chunks)
        if self.rules.failing_moves:
            self.rules.failing_moves -= 1
            raise RefusalError("502 Bad Gateway", sabre=False)
        start_response("201 Created", [("Content-Length", "0")])
        return [b""]

    def _pass_on(
        self, dav: WsgiDAVApp, environ: Environ, start_response: StartResponse, path: str
    ) -> Iterable[bytes]:
        inner = {**environ, "PATH_INFO": path, "SCRIPT_NAME": ""}
        if "HTTP_DESTINATION" in environ:
            inner["HTTP_DESTINATION"] = quote(_below_top(environ["HTTP_DESTINATION"]))
        answer: Iterable[bytes] = dav(inner, start_response)
        return answer


class DeliberateResetError(Exception):
    """Ends the connection without an answer."""


class _ConnectionThatCanReset(HTTPConnection):
    reset_on_close = False

    def close(self) -> None:
        super().close()
        # cheroot leaves its writer open. What a client that broke off has not taken is still in there, and
        # the garbage collector would try to send it and complain.
        with suppress(OSError):
            self.wfile.close()

    def _close_kernel_socket(self) -> None:
        if not self.reset_on_close:
            super()._close_kernel_socket()
            return
        # Zero linger and no shutdown make the kernel send RST.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class _GatewayThatCanReset(wsgi.Gateway_10):
    def respond(self) -> None:
        try:
            super().respond()
        except DeliberateResetError:
            self.req.conn.reset_on_close = True
            raise ConnectionResetError(errno.ECONNRESET, "on purpose") from None


class _Server(wsgi.Server):
    ConnectionClass = _ConnectionThatCanReset
    expiration_interval = 0.02

    def __init__(self, application: Any, host: str) -> None:
        super().__init__((host, 0), application, numthreads=2, shutdown_timeout=1)
        self.gateway = _GatewayThatCanReset


class _Provider(FilesystemProvider):
    """Tells the checksums that files came with, and their permissions, as Nextcloud does."""

    def __init__(self, folder: Path) -> None:
        super().__init__(str(folder))
        self.checksums: dict[str, str] = {}
        self.rules = Rules()

    def get_resource_inst(self, path: str, environ: Environ) -> Any:
        resource = super().get_resource_inst(path, environ)
        return _File(path, environ, resource._file_path) if isinstance(resource, FileResource) else resource


class _File(FileResource):
    def get_property_value(self, name: str) -> Any:
        told = {
            "{DAV:}getetag": f'"{self.get_etag()}"',  # wsgidav forgets the quotes that belong to it
            "{http://owncloud.org/ns}checksums": self.provider.checksums.get(self.path),
            "{http://owncloud.org/ns}permissions": self.provider.rules.permissions,
        }
        return told.get(name) or super().get_property_value(name)


def _dav(provider: _Provider) -> WsgiDAVApp:
    return WsgiDAVApp(
        {
            "provider_mapping": {"/": provider},
            "simple_dc": {"user_mapping": {"*": True}},
            "lock_storage": False,
            "verbose": 0,
            "logging": {"enable": False},
        }
    )


def _below_top(url: str) -> str:
    """The path below the top of the share."""
    _, found, path = unquote(urlsplit(url).path).partition(f"/dav/files/{TOKEN}")
    return path if found else unquote(urlsplit(url).path).removeprefix("/cloud/public.php/webdav")


def _credentials(environ: Environ) -> tuple[str, str] | None:
    scheme, _, encoded = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme != "Basic":
        return None
    user, _, password = base64.b64decode(encoded).decode().partition(":")
    return user, password
