"""The tabs of a project and of a workspace, the same on all of their pages."""

from typing import Any

from pyramid.request import Request

from jobserver.queries.output_pages import CameOut, came_out, came_out_of_project, came_out_of_workspace
from jobserver.resources import ProjectResource
from jobserver.resources.links import page_url, view_url
from jobserver.resources.outputs import LatestOutputs
from jobserver.security.permissions import Permission


def tabs(request: Request, context: Any, out: CameOut | None = None) -> list[dict[str, Any]]:
    """Those of the project or workspace that the address names, with the one marked that it leads to.

    ``out`` is what came out of it, if that is known already.
    """
    if isinstance(context, ProjectResource):
        out = out or came_out(request.db, *came_out_of_project(context.project.id))
        found = _of_project(request, context, out)
    else:
        out = out or came_out(request.db, *came_out_of_workspace(context.workspace.id))
        found = _of_workspace(request, context, out)
    leading_here = [each["href"] for each in found if request.path.startswith(each["href"])]
    here = max(leading_here, key=len, default="")
    if isinstance(context, LatestOutputs):
        # Not a published set: it is made of releases.
        here = found[2]["href"]
    return [{**each, "current": each["href"] == here} for each in found]


def _of_project(request: Request, context: ProjectResource, out: CameOut) -> list[dict[str, Any]]:
    return [
        {"label": "Overview", "href": view_url(request, context)},
        {"label": "Job requests", "href": view_url(request, context, "logs")},
        {"label": "Releases", "href": view_url(request, context, "releases"), "count": out.releases},
        {"label": "Published outputs", "href": view_url(request, context, "outputs"), "count": out.published},
    ]


def _of_workspace(request: Request, context: Any, out: CameOut) -> list[dict[str, Any]]:
    names = context.workspace.path
    found: list[dict[str, Any]] = [
        {"label": "Overview", "href": page_url(request, *names)},
        {"label": "Job requests", "href": page_url(request, *names, "logs")},
        {"label": "Releases", "href": page_url(request, *names, "releases"), "count": out.releases},
        {"label": "Published outputs", "href": page_url(request, *names, "outputs"), "count": out.published},
    ]
    if request.has_permission(Permission.UNRELEASED_OUTPUTS_VIEW, context):
        found.append({"label": "Release requests", "href": page_url(request, *names, "release-requests")})
    return found
