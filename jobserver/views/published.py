"""Files that are public: their bytes, for everybody (spec: airlock 6.4, 12.10, 12.18)."""

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from jobserver.resources.outputs import PublishedFileResource
from jobserver.security.permissions import Permission
from jobserver.views.files import file_answer


@view_config(context=PublishedFileResource, request_method="GET", permission=Permission.VIEW)
def published_file(context: PublishedFileResource, request: Request) -> Response:
    """The file, for as long as a published snapshot of its workspace has it."""
    return file_answer(request, context.file)
