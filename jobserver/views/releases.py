"""One release and its files (spec: pages 16.3)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pyramid.httpexceptions import HTTPFound
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from jobserver.models import utcnow
from jobserver.queries import release_pages as queries
from jobserver.queries.asking import givers_of_project_roles, role_that_allows
from jobserver.queries.releases import release_request_by_id
from jobserver.queries.viewer import SetFile, of_this_release
from jobserver.resources.links import page_url, view_url
from jobserver.resources.outputs import (
    ReleaseFilePath,
    ReleaseFileResource,
    ReleaseRequestResource,
    ReleaseRequests,
    ReleaseResource,
)
from jobserver.security.permissions import Permission
from jobserver.templating.times import clock, day
from jobserver.views.breadcrumbs import breadcrumbs
from jobserver.views.tabs import tabs
from jobserver.views.viewer import frame as viewer
from jobserver.views.viewer.addresses import Addresses

SHARING = "https://docs.opensafely.org/releasing-files/"

HERE: dict[str, Any] = {"permission": Permission.RELEASE_FILE_VIEW, "request_method": "GET"}


@view_config(**HERE, context=ReleaseResource, renderer="jobserver:templates/releases/release.jinja2")
@view_config(**HERE, context=ReleaseFilePath, renderer="jobserver:templates/releases/release.jinja2")
def release(context: ReleaseResource | ReleaseFilePath, request: Request) -> dict[str, Any]:
    """One release and its files, and perhaps one of them."""
    here: ReleaseResource = viewer.set_of(context)
    row, now = here.release, utcnow()
    shown = viewer.page(context, request, _files(context, request))
    return {
        **shown,
        "release": row,
        "title": title(row.created_at),
        "late": queries.is_late(row.created_at, shown["counts"], now),
        "metadata": viewer.told(row.metadata_),
        "request_url": _request_url(here, request),
        "zip_url": view_url(request, here, "download") if shown["counts"].readable else None,
        **access(context, request),
        "tabs": tabs(request, here),
        "breadcrumbs": breadcrumbs(
            context,
            request,
            ("Releases", view_url(request, here.__parent__)),
            *viewer.crumbs(title(row.created_at), shown),
        ),
    }


@view_config(**HERE, context=ReleaseResource, request_param="part", renderer=viewer.PART)
@view_config(**HERE, context=ReleaseFilePath, request_param="part", renderer=viewer.PART)
def part_of_release(context: ReleaseResource | ReleaseFilePath, request: Request) -> dict[str, Any]:
    """A part of the tree."""
    return viewer.part(context, request, _files(context, request))


@view_config(**HERE, context=ReleaseFileResource)
def version(context: ReleaseFileResource, request: Request) -> Response:
    """A version of a file, for good: where its release shows it."""
    addresses = Addresses(request, context.files)
    return HTTPFound(addresses.of(context.file.name, context.file.id))


def _files(context: ReleaseResource | ReleaseFilePath, request: Request) -> Mapping[str, SetFile]:
    """By name; a release has each once."""
    return {file.name: file for file in of_this_release(request.db, viewer.set_of(context).release.id)}


def title(moment: datetime) -> str:
    """What a release is called: "17 Nov 2026, 13:21"."""
    return f"{day(moment)}, {clock(moment)}"


def access(context: Any, request: Request) -> dict[str, Any]:
    """By which role the reader sees released files here, who gives such roles, and what may be shared."""
    held = role_that_allows(request.identity, Permission.RELEASE_FILE_VIEW, context.project.id)
    return {"seen_as": held, "role_givers": givers_of_project_roles(), "sharing_url": SHARING}


def _request_url(context: ReleaseResource, request: Request) -> str | None:
    """Where the release request is, from which the release came; None for those who may not see it."""
    asked = release_request_by_id(request.db, context.release.id)
    if asked is None or asked.workspace_id != context.workspace.id:
        return None
    place = ReleaseRequestResource(ReleaseRequests(context, "release-requests"), asked)
    if not request.has_permission(Permission.UNRELEASED_OUTPUTS_VIEW, place):
        return None
    return page_url(request, *context.workspace.path, "release-requests", asked.id)
