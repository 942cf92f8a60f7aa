"""One released file: its bytes (spec: airlock 5.3)."""

from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from jobserver.resources.outputs import ReleaseFileResource, SnapshotFileResource
from jobserver.security.permissions import Permission
from jobserver.views.files import file_answer


@view_config(
    context=ReleaseFileResource,
    name="raw",
    permission=Permission.RELEASE_FILE_VIEW,
    request_method="GET",
)
@view_config(
    context=SnapshotFileResource, name="raw", permission=Permission.SNAPSHOT_VIEW, request_method="GET"
)
def raw(context: ReleaseFileResource | SnapshotFileResource, request: Request) -> Response:
    """The file as a browser shows it; 404 if it has not come or was redacted."""
    return _bytes(context, request, download=False)


@view_config(
    context=ReleaseFileResource,
    name="download",
    permission=Permission.RELEASE_FILE_VIEW,
    request_method="GET",
)
@view_config(
    context=SnapshotFileResource, name="download", permission=Permission.SNAPSHOT_VIEW, request_method="GET"
)
def download(context: ReleaseFileResource | SnapshotFileResource, request: Request) -> Response:
    """The file to be kept."""
    return _bytes(context, request, download=True)


def _bytes(
    context: ReleaseFileResource | SnapshotFileResource, request: Request, *, download: bool
) -> Response:
    if not context.file.is_readable:
        raise HTTPNotFound
    return file_answer(request, context.file, download=download)
