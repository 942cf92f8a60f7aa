"""What was released: the lists of a workspace and of a project, and one release (spec: pages 16)."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request
from pyramid.view import view_config

from jobserver.models import utcnow
from jobserver.queries import release_pages as queries
from jobserver.queries.asking import givers_of_project_roles, role_that_allows
from jobserver.queries.releases import release_request_by_id
from jobserver.resources import ProjectResource
from jobserver.resources.links import page_url, view_url
from jobserver.resources.outputs import ReleaseRequestResource, ReleaseRequests, ReleaseResource, Releases
from jobserver.security.permissions import Permission
from jobserver.templating.pager import Pager, page_number
from jobserver.templating.times import clock, day
from jobserver.views.job_requests import breadcrumbs
from jobserver.views.tabs import tabs

LIST = "jobserver:templates/releases/list.jinja2"
SHARING = "https://docs.opensafely.org/releasing-files/"
# A handful of files need no search.
FEW = 10


@view_config(context=Releases, permission=Permission.VIEW, request_method="GET", renderer=LIST)
def releases_of_workspace(context: Releases, request: Request) -> dict[str, Any]:
    """Everything that was released from a workspace."""
    listed = _listed(context, request, queries.in_workspace(context.workspace.id))
    has_latest = listed["may_see"] and queries.has_readable(request.db, context.workspace.id)
    names = (context.org.slug, context.project.slug, context.workspace.name)
    return {
        **listed,
        "scope": "workspace",
        "heading": context.workspace.name,
        "latest_url": page_url(request, *names, "outputs", "latest") if has_latest else None,
        "breadcrumbs": breadcrumbs(context, request, ("Releases", None)),
    }


@view_config(
    context=ProjectResource, name="releases", permission=Permission.VIEW, request_method="GET", renderer=LIST
)
def releases_of_project(context: ProjectResource, request: Request) -> dict[str, Any]:
    """Everything that was released from the workspaces of a project."""
    return {
        **_listed(context, request, queries.in_project(context.project.id)),
        "scope": "project",
        "heading": context.project.title,
        "latest_url": None,
        "breadcrumbs": [
            (context.org.name, page_url(request, context.org.slug)),
            (context.project.name, view_url(request, context)),
            ("Releases", None),
        ],
    }


def _listed(context: Any, request: Request, place: Any) -> dict[str, Any]:
    total = queries.number_of_releases(request.db, place)
    pager = pager_of(request, total, queries.PAGE)
    may_see = bool(request.has_permission(Permission.RELEASE_FILE_VIEW))
    return {
        "pager": pager,
        "total": total,
        "rows": queries.releases(request.db, place, with_files=may_see, offset=pager.offset),
        "may_see": may_see,
        "download_url": lambda row: page_url(request, *row.path, "download"),
        "now": utcnow(),
        "url": lambda *names: page_url(request, *names),
        "tabs": tabs(request, context),
        **access(context, request),
    }


@view_config(
    context=ReleaseResource,
    permission=Permission.RELEASE_FILE_VIEW,
    request_method="GET",
    renderer="jobserver:templates/releases/release.jinja2",
)
def release(context: ReleaseResource, request: Request) -> dict[str, Any]:
    """One release and its files."""
    row, now = context.release, utcnow()
    counts = queries.counts(request.db, queries.of_release(row.id))
    return {
        "release": row,
        "title": title(row.created_at),
        "counts": counts,
        "late": queries.is_late(row.created_at, counts, now),
        "metadata": told(row.metadata_),
        "request_url": _request_url(context, request),
        "download_url": view_url(request, context, "download") if counts.readable else None,
        **files_table(context, request, queries.of_release(row.id), counts.files, now),
        **access(context, request),
        "tabs": tabs(request, context),
        "breadcrumbs": breadcrumbs(
            context,
            request,
            ("Releases", view_url(request, context.__parent__)),
            (title(row.created_at), None),
        ),
    }


def title(moment: datetime) -> str:
    """What a release is called: "17 Nov 2026, 13:21"."""
    return f"{day(moment)}, {clock(moment)}"


def pager_of(request: Request, total: int, size: int) -> Pager:
    """The page that the address asks for; 404 if the list does not have it."""
    number = page_number(request.GET.get("page"), total, size)
    if number is None:
        raise HTTPNotFound
    return Pager(number, total, size, list(request.GET.items()))


def access(context: Any, request: Request) -> dict[str, Any]:
    """By which role the reader sees released files here, who gives such roles, and what may be shared."""
    held = role_that_allows(request.identity, Permission.RELEASE_FILE_VIEW, context.project.id)
    return {"seen_as": held, "role_givers": givers_of_project_roles(), "sharing_url": SHARING}


def files_table(context: Any, request: Request, files: Any, total: int, now: datetime) -> dict[str, Any]:
    """One page of a table of files: those that the search lets through, by name."""
    place = (context.org.slug, context.project.slug, context.workspace.name)
    may_open = bool(request.has_permission(Permission.RELEASE_FILE_VIEW))
    q = request.GET.get("q", "").strip()
    wanted = files & queries.named(q) if q else files
    found = queries.number_of_files(request.db, wanted) if q else total
    pager = pager_of(request, found, queries.FILES_PAGE)
    return {
        "q": q,
        "searches": total > FEW or bool(q),
        "found": found,
        "files": queries.files_of(request.db, wanted, offset=pager.offset),
        "pager": pager,
        "here": request.path,
        "now": now,
        "url": lambda *names: page_url(request, *names),
        "place": place,
        "release_url": lambda file: page_url(request, *place, "releases", file.release_id),
        "file_url": lambda file: (
            page_url(request, *place, "releases", file.release_id, file.id, "raw") if may_open else ""
        ),
    }


def told(metadata: dict[str, Any] | None) -> Sequence[tuple[str, str]]:
    """What Airlock says of a release, as labels and texts."""
    return [
        (key.replace("_", " ").strip().title() or "–", value if isinstance(value, str) else json.dumps(value))
        for key, value in (metadata or {}).items()
    ]


def _request_url(context: ReleaseResource, request: Request) -> str | None:
    """Where the release request is, from which the release came; None for those who may not see it."""
    asked = release_request_by_id(request.db, context.release.id)
    if asked is None or asked.workspace_id != context.workspace.id:
        return None
    place = ReleaseRequestResource(ReleaseRequests(context, "release-requests"), asked)
    if not request.has_permission(Permission.UNRELEASED_OUTPUTS_VIEW, place):
        return None
    names = (context.org.slug, context.project.slug, context.workspace.name)
    return page_url(request, *names, "release-requests", asked.id)
