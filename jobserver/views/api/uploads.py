"""The bytes of released files, sent one file at a time (spec: airlock 4.3)."""

from collections.abc import Callable
from typing import NoReturn

import structlog
from pyramid.request import Request
from pyramid.response import Response

from jobserver.actions import releases as actions
from jobserver.actions.releases import AlreadyUploaded
from jobserver.clients.storage import Received, StorageError, StorageFull, TooLarge, digest_of
from jobserver.db import release_connection
from jobserver.http.disposition import file_name
from jobserver.models import ReleaseFile
from jobserver.queries import releases
from jobserver.resources.api import ReleaseEndpoint
from jobserver.security.permissions import Permission
from jobserver.views.api.exchange import Refused, absolute, empty, endpoint

log = structlog.get_logger("jobserver.uploads")


@endpoint(ReleaseEndpoint, "POST", Permission.RELEASE_FILE_UPLOAD)
def upload(context: ReleaseEndpoint, request: Request) -> Response:
    """Store the file that Content-Disposition names, if it is what was announced."""
    limit: int = request.registry["settings"].release_file_size_limit
    if (request.content_length or 0) > limit:
        raise _too_large(limit)
    file = _announced(context, request)
    slug = context.release.backend.slug
    try:
        if file.uploaded_at is not None:
            _refuse_repeat(file, slug, digest_of(_reader(request), limit))
        return _store(request, file, slug, limit)
    except TooLarge as error:
        raise _too_large(limit) from error
    except StorageError as error:
        log.exception("upload_not_stored", release=file.release_id, file=file.id)
        status = 507 if isinstance(error, StorageFull) else 503
        raise Refused(status, "The file cannot be stored now. It can be sent again later.") from error


def _announced(context: ReleaseEndpoint, request: Request) -> ReleaseFile:
    """The file of the release that the request names."""
    release, sender = context.release, request.caller.backend
    name = file_name(request.headers.get("Content-Disposition", ""))
    if name is None:
        raise Refused(400, "No file name was sent: Content-Disposition must have one.")
    file = releases.file_named(request.db, release.id, name)
    if file is None:
        raise Refused(400, f"The file '{name[:300]}' was not announced for the release {release.id}.")
    if release.backend_id != sender.id:
        raise Refused(
            400, f"The release belongs to the backend '{release.backend.slug}' and not to '{sender.slug}'."
        )
    return file


def _store(request: Request, file: ReleaseFile, slug: str, limit: int) -> Response:
    storage, person = request.clients.storage, request.caller.person
    # The bytes may take their time, in which nobody has to wait for the database.
    release_connection(request)
    received: Received = storage.receive(_reader(request), limit)
    try:
        _refuse_other(file, received)
        kept = actions.keep(request.db, storage, received, file.id, person)
    except AlreadyUploaded:
        _refuse_repeat(file, slug, (received.sha256, received.size))
    finally:
        storage.discard(received.place)
    location = absolute(request, f"/api/v2/releases/file/{kept.id}")
    return empty(201, {"File-Id": kept.id, "Location": location})


def _refuse_other(file: ReleaseFile, received: Received) -> None:
    if received.size == 0 and file.size:
        raise Refused(400, f"No data was sent for '{file.name}'.")
    if received.size != file.size:
        raise Refused(
            400, f"'{file.name}' was announced with {file.size} bytes, and {received.size} were sent."
        )
    if received.sha256 != file.filehash:
        raise Refused(400, f"What was sent for '{file.name}' is not what was announced: its SHA-256 differs.")


def _refuse_repeat(file: ReleaseFile, slug: str, sent: tuple[str, int]) -> NoReturn:
    """Airlock takes the first of these words for success, and must not take the others so."""
    if sent == (file.filehash, file.size):
        raise Refused(400, f"This version of '{file.name}' has already been uploaded from backend '{slug}'")
    raise Refused(400, f"'{file.name}' has been uploaded from backend '{slug}' before, with another content.")


def _reader(request: Request) -> Callable[[int], bytes]:
    """Reads the body, so many bytes at most at a time; it is never held as a whole."""
    ends_by_itself = request.environ.get("wsgi.input_terminated")
    stream = request.environ["wsgi.input"] if ends_by_itself else request.body_file

    def read(size: int) -> bytes:
        try:
            chunk: bytes = stream.read(size)
        except OSError as error:
            raise Refused(400, "The body ended too soon.") from error
        return chunk

    return read


def _too_large(limit: int) -> Refused:
    return Refused(400, f"The file is too large: at most {limit} bytes are taken.")
