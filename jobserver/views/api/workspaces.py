"""What the API says of a workspace without asking who calls (spec: airlock 2, rap 10.4)."""

from pyramid.request import Request
from pyramid.response import Response

from jobserver.resources.api import WorkspaceStatus
from jobserver.security.permissions import Permission
from jobserver.views.api.exchange import answer, endpoint


@endpoint(WorkspaceStatus, "GET", Permission.VIEW)
def status(context: WorkspaceStatus, request: Request) -> Response:
    """Which way the workspace's files are released."""
    return answer({"uses_new_release_flow": context.workspace.workspace.uses_new_release_flow})
