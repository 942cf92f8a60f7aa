"""The bytes of a released file, for pages and programs alike (spec: airlock 5.3, 12.2, 12.9, 12.32)."""

import mimetypes
import os
import re
from io import BufferedReader
from typing import Any, Protocol
from urllib.parse import quote

import structlog
from pyramid.httpexceptions import HTTPNotFound, HTTPRequestRangeNotSatisfiable
from pyramid.request import Request
from pyramid.response import Response
from webob.static import BLOCK_SIZE, FileIter

from jobserver.clients.storage import FileMissing, ReleaseStorage
from jobserver.http.disposition import disposition
from jobserver.models import ReleaseFile
from jobserver.security.identity import Identity

# A released file acts for nobody: it runs no script, sends no form, and reaches nothing but itself.
POLICY = (
    "sandbox; default-src 'none'; base-uri 'none'; form-action 'none'; "
    "style-src 'unsafe-inline'; img-src data:; font-src data:; frame-ancestors 'self'"
)
# What a browser shows; anything else is for saving.
SHOWN = frozenset(
    {
        *("application/json", "application/pdf", "text/csv", "text/html", "text/markdown", "text/plain"),
        *("image/gif", "image/jpeg", "image/png", "image/svg+xml", "image/webp"),
    }
)
# Python's own table, whatever the machine may have besides.
_TYPES = mimetypes.MimeTypes()
_TYPES.add_type("text/plain", ".log")
_TYPES.add_type("text/markdown", ".md")
_TYPES.add_type("image/webp", ".webp")
_COMPRESSED = {"gzip": "application/gzip", "bzip2": "application/x-bzip2", "xz": "application/x-xz"}
_ONE_RANGE = re.compile(r"bytes=(\d{1,19}-\d{0,19}|-\d{1,19})$", re.ASCII)
UNKNOWN = "application/octet-stream"

log = structlog.get_logger("jobserver.files")


class Stored(Protocol):
    """A row of a released file, whole or in part."""

    @property
    def id(self) -> str:
        """The file's id."""

    @property
    def release_id(self) -> str:
        """Its release."""

    @property
    def path(self) -> str:
        """Where its bytes are in the folder of released files."""

    @property
    def size(self) -> int:
        """How many there are."""


def opened(storage: ReleaseStorage, file: Stored) -> BufferedReader:
    """The file, for reading. Raises FileMissing if it is not there as it came: an error of ours, logged."""
    try:
        stream = storage.open(file.path)
    except FileMissing:
        log.exception("released_file_missing", file=file.id, path=file.path)
        raise
    if (found := os.fstat(stream.fileno()).st_size) != file.size:
        stream.close()
        log.error("released_file_changed", file=file.id, path=file.path, size=file.size, found=found)
        raise FileMissing(f"{file.path} has {found} bytes instead of {file.size}")
    return stream


def read_by(request: Request) -> str | None:
    """The username of whoever reads; None for the public."""
    caller: Any = request.caller if request.path_info.startswith("/api/") else request.identity
    person: Identity | None = getattr(caller, "person", caller)
    return person.username if person else None


def note_read(user: str | None, file: Stored, way: str) -> None:
    """Keep in the log that somebody got the content of a file: pages 30.8 no. 75, without a write."""
    log.info("released_file_read", user=user, file=file.id, release=file.release_id, way=way)


def file_answer(request: Request, file: ReleaseFile, *, download: bool = False) -> Response:
    """The bytes of an uploaded file, streamed; 304 or a part of them if that is what is asked for.

    With the setting ``release_accel_redirect`` nginx sends them, parts too. Raises HTTPNotFound if they are
    not there, or not as many as there should be; and 416 for a part that begins after their end.
    """
    try:
        stream = opened(request.clients.storage, file)
    except FileMissing as error:
        raise HTTPNotFound from error
    base, type_ = file.name.rpartition("/")[2], content_type(file.name)
    response = Response(
        content_type=type_,
        charset="utf-8" if type_.startswith("text/") else None,
        conditional_response=True,
        content_disposition=disposition("inline" if type_ in SHOWN and not download else "attachment", base),
        etag=file.filehash,
        last_modified=file.uploaded_at,
        accept_ranges="bytes",
    )
    response.headers["Content-Security-Policy"] = POLICY
    # Kept by this browser only, and never shown without asking first: rights end, files are redacted.
    response.headers["Cache-Control"] = "private, no-cache"
    prefix = request.registry["settings"].release_accel_redirect
    is_unchanged = _is_unchanged(request, response)
    if prefix:
        stream.close()
        # Parts are cut by whoever has the bytes.
        request.environ.pop("HTTP_RANGE", None)
        if not is_unchanged:
            # That it is there, and below its folder, has been seen.
            response.headers["X-Accel-Redirect"] = quote(prefix + file.path)
    else:
        _send(request, response, stream, file.size)
    if request.method == "GET" and not is_unchanged:
        note_read(read_by(request), file, "download" if download else "raw")
    return response


def _send(request: Request, response: Response, stream: BufferedReader, size: int) -> None:
    if _is_unchanged(request, response) or not _ONE_RANGE.match(request.headers.get("Range", "")):
        # Several, other units, or what WebOb fails to read: the whole file is an answer to all of these.
        # And a 304 goes before any part.
        request.environ.pop("HTTP_RANGE", None)
    asked = request.range
    if asked and response in request.if_range and asked.content_range(size) is None:
        stream.close()
        raise HTTPRequestRangeNotSatisfiable(
            f"The file has {size} bytes.", headers=[("Content-Range", f"bytes */{size}")]
        )
    # The server's own way to send a file is the quickest; only ours can begin in the middle.
    wrapper = request.environ.get("wsgi.file_wrapper")
    whole = wrapper is not None and "Range" not in request.headers
    response.app_iter = wrapper(stream, BLOCK_SIZE) if whole else _Stream(stream)
    response.content_length = size


def _is_unchanged(request: Request, response: Response) -> bool:
    """Whether the answer will be a 304, as WebOb decides it."""
    if request.if_none_match:
        return response.etag in request.if_none_match
    since = request.if_modified_since
    return bool(since and response.last_modified and response.last_modified <= since)


class _Stream(FileIter):  # type: ignore[misc]
    """The library's own, which is also closed if nothing of it is read, as when the answer is a 304."""

    def close(self) -> None:
        """Give the file back."""
        self.file.close()


def content_type(name: str) -> str:
    """The type of a file of this name; of a compressed one that of its compression."""
    guessed, compression = _TYPES.guess_type(f"/{name}", strict=True)
    if compression:
        return _COMPRESSED.get(compression, UNKNOWN)
    return guessed or UNKNOWN
