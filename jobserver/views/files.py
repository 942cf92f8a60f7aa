"""The bytes of a released file, for pages and programs alike (spec: airlock 5.3, 12.2, 12.32)."""

import mimetypes
import os

import structlog
from pyramid.httpexceptions import HTTPNotFound, HTTPRequestRangeNotSatisfiable
from pyramid.request import Request
from pyramid.response import Response
from webob.static import BLOCK_SIZE, FileIter

from jobserver.clients.storage import FileMissing
from jobserver.http.disposition import disposition
from jobserver.models import ReleaseFile

# A released file acts for nobody: it runs no script, sends no form, and reaches nothing but itself.
POLICY = (
    "sandbox; default-src 'none'; base-uri 'none'; form-action 'none'; "
    "style-src 'unsafe-inline'; img-src data:; font-src data:; frame-ancestors 'self'"
)
# What the viewer shows; anything else is for saving.
SHOWN = frozenset(
    {
        *("application/json", "text/csv", "text/html", "text/markdown", "text/plain"),
        *("image/gif", "image/jpeg", "image/png", "image/svg+xml"),
    }
)
# Python's own table, whatever the machine may have besides.
_TYPES = mimetypes.MimeTypes()
_TYPES.add_type("text/plain", ".log")
_TYPES.add_type("text/markdown", ".md")
_COMPRESSED = {"gzip": "application/gzip", "bzip2": "application/x-bzip2", "xz": "application/x-xz"}
LONGEST_RANGE = 100
UNKNOWN = "application/octet-stream"

log = structlog.get_logger("jobserver.files")


def file_answer(request: Request, file: ReleaseFile, *, download: bool = False) -> Response:
    """The bytes of an uploaded file, streamed; 304 or a part of them if that is what is asked for.

    Raises HTTPNotFound if they are not there, or not as many as there should be, which is an error of ours;
    and 416 for a part that begins after their end.
    """
    try:
        stream = request.clients.storage.open(file.path)
    except FileMissing as error:
        log.exception("released_file_missing", file=file.id, path=file.path)
        raise HTTPNotFound from error
    if (found := os.fstat(stream.fileno()).st_size) != file.size:
        stream.close()
        log.error("released_file_changed", file=file.id, path=file.path, size=file.size, found=found)
        raise HTTPNotFound
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
    if len(request.headers.get("Range", "")) > LONGEST_RANGE:
        # Nobody means it, and WebOb fails to read such numbers.
        del request.range
    asked = request.range
    if asked and response in request.if_range and asked.content_range(file.size) is None:
        stream.close()
        raise HTTPRequestRangeNotSatisfiable(f"The file has {file.size} bytes.")
    # The server's own way to send a file is the quickest; only ours can begin in the middle.
    wrapper = request.environ.get("wsgi.file_wrapper")
    whole = wrapper is not None and "Range" not in request.headers
    response.app_iter = wrapper(stream, BLOCK_SIZE) if whole else _Stream(stream)
    response.content_length = file.size
    response.headers["Content-Security-Policy"] = POLICY
    # Kept by this browser only, and never shown without asking first: rights end, files are redacted.
    response.headers["Cache-Control"] = "private, no-cache"
    return response


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
