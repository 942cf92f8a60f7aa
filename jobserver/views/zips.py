"""Released files as one zip, made while it is sent (spec: pages 16.4, airlock 5.4 and 12.31).

Nothing is held but a piece of one file. The rows are read before the first byte goes out, so that however
slowly somebody takes it, no connection of the database waits for them.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from io import BufferedReader
from pathlib import PurePosixPath
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED

from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config
from zipstream import ZipStream  # type: ignore[import-untyped]

from jobserver.clients.storage import CHUNK, FileMissing, ReleaseStorage
from jobserver.http.disposition import disposition
from jobserver.queries import release_pages as queries
from jobserver.queries.file_names import names_in_set
from jobserver.queries.outputs import newer_versions, of_latest
from jobserver.queries.release_pages import ZipFileRow
from jobserver.resources.links import page_url
from jobserver.resources.outputs import LatestOutputs, ReleaseResource, SnapshotResource
from jobserver.security.permissions import Permission
from jobserver.templating.times import exact
from jobserver.views.files import note_read, opened, read_by

# What is compressed already.
STORED = frozenset({".gif", ".gz", ".jpeg", ".jpg", ".pdf", ".png", ".svgz", ".webp", ".zip"})
LEFT_OUT = "NOT-INCLUDED.txt"
# Control characters and Windows' own stroke between folders.
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\\]")
_DRIVE = re.compile(r"^([A-Za-z]):")
# What file systems take, in bytes: of a folder's or file's name, and here of all of them together.
LONGEST_PART, LONGEST_NAME = 255, 2_000


@view_config(
    context=ReleaseResource, name="download", permission=Permission.RELEASE_FILE_VIEW, request_method="GET"
)
def release_zip(context: ReleaseResource, request: Request) -> Response:
    """All files of a release."""
    rows = queries.files_for_zip(request.db, queries.of_release(context.release.id))
    return _zip(context, request, f"release-{context.release.id}.zip", rows)


@view_config(
    context=SnapshotResource, name="download", permission=Permission.SNAPSHOT_VIEW, request_method="GET"
)
def snapshot_zip(context: SnapshotResource, request: Request) -> Response:
    """All files of a snapshot. Who redacted one and why is not for the public."""
    rows = queries.files_for_zip(request.db, queries.of_snapshot(context.snapshot.id))
    if not request.has_permission(Permission.RELEASE_FILE_VIEW):
        rows = [replace(row, deleted_by=None, deleted_reason="") for row in rows]
    return _zip(context, request, f"release-{context.snapshot.id}.zip", rows)


@view_config(
    context=LatestOutputs, name="download", permission=Permission.RELEASE_FILE_VIEW, request_method="GET"
)
def latest_zip(context: LatestOutputs, request: Request) -> Response:
    """Of every file of a workspace the newest version that can be read; newer ones are named."""
    here = context.workspace.id
    newer = newer_versions(request.db, here).values()
    rows = queries.files_for_zip(request.db, of_latest(here) | queries.these(newer))
    return _zip(context, request, f"workspace-{context.workspace.name}.zip", rows)


def _zip(context: Any, request: Request, filename: str, rows: Sequence[ZipFileRow]) -> Response:
    if not any(row.is_readable for row in rows):
        raise HTTPNotFound
    settings = request.registry["settings"]
    releases_path = (*context.workspace.path, "releases")

    def address(row: ZipFileRow) -> str:
        return str(settings.base_url.rstrip("/") + page_url(request, *releases_path, row.release_id))

    response = Response(content_type="application/zip")
    response.content_disposition = disposition("attachment", filename)
    response.cache_control.no_store = True
    response.app_iter = _stream(request.clients.storage, rows, address, read_by(request))
    return response


def _stream(
    storage: ReleaseStorage, rows: Sequence[ZipFileRow], address: Any, reader: str | None
) -> Iterator[bytes]:
    """The zip, piece by piece. What cannot be included is named in an entry at its end."""
    stream = ZipStream(compress_type=ZIP_DEFLATED)
    left_out = [(row, _why_not(row)) for row in rows if not row.is_readable]
    named = entry_names([row for row in rows if row.is_readable])
    for row, name in named:
        try:
            file = opened(storage, row)
        except FileMissing:
            left_out.append((row, "It should be here and is not. Support has to look for it."))
            continue
        note_read(reader, row, "zip")
        with file:
            how = ZIP_STORED if PurePosixPath(name).suffix.lower() in STORED else ZIP_DEFLATED
            stream.add(_pieces(file), name, size=row.size, compress_type=how)
            yield from stream.all_files()
    if left_out:
        stream.add(_told(left_out, address), _free_name({name for _, name in named}))
    yield from stream.finalize()


def _pieces(file: BufferedReader) -> Iterator[bytes]:
    while piece := file.read(CHUNK):
        yield piece


def entry_names(rows: Sequence[ZipFileRow]) -> list[tuple[ZipFileRow, str]]:
    """Each file with its name in the zip: that in the set, made safe to unpack anywhere.

    Names that became equal thereby, or one of which became a folder of another, have the file's id before
    them.
    """
    names = [safe_name(name) for name in names_in_set(rows)]
    times = Counter(names)
    folders = {str(parent) for name in names for parent in PurePosixPath(name).parents}
    return [
        (row, f"{row.id}/{name}" if times[name] > 1 or name in folders else name)
        for row, name in zip(rows, names, strict=True)
    ]


def safe_name(name: str) -> str:
    """The name as one that stays below the folder in which it is unpacked, on every system.

    A name that could be stored today comes back as it is; older ones may lead elsewhere, or be too long.
    """
    parts = [_shortened(part) for part in _UNSAFE.sub("_", name).split("/") if part not in {"", ".", ".."}]
    safe = _DRIVE.sub(r"\1_", "/".join(parts))
    if len(safe.encode(errors="replace")) > LONGEST_NAME:
        safe = parts[-1]
    return safe or "unnamed"


def _shortened(part: str) -> str:
    """A part of a name, at most as long as file systems take it, with its ending."""
    as_bytes = part.encode(errors="replace")
    if len(as_bytes) <= LONGEST_PART:
        return part
    ending = PurePosixPath(part).suffix.encode(errors="replace")[:20]
    return (as_bytes[: LONGEST_PART - len(ending)] + ending).decode(errors="ignore")


def _free_name(taken: set[str]) -> str:
    name = LEFT_OUT
    while name in taken:
        name = f"_{name}"
    return name


def _why_not(row: ZipFileRow) -> str:
    if row.deleted_at is None:
        return "Not uploaded yet."
    who = f" by {row.deleted_by}" if row.deleted_by else ""
    reason = f": {row.deleted_reason}" if row.deleted_reason else "."
    return f"Redacted{who}, {exact(row.deleted_at)}{reason}"


def _told(left_out: Sequence[tuple[ZipFileRow, str]], address: Any) -> str:
    parts = [f"{row.name}\n  {why}\n  {address(row)}\n" for row, why in left_out]
    return "These files are not included:\n\n" + "\n".join(parts)
