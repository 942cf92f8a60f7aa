"""The lists of what was published from a workspace and from a project, and drafts (spec: pages 17)."""

from typing import Any

from pyramid.request import Request
from pyramid.view import view_config

from jobserver.forms import narrowing
from jobserver.forms.narrowing import Field, Narrowing
from jobserver.models import utcnow
from jobserver.queries import output_lists as lists
from jobserver.queries import output_pages as queries
from jobserver.resources import ProjectResource
from jobserver.resources.links import page_url, view_url
from jobserver.resources.outputs import Outputs
from jobserver.security.permissions import Permission
from jobserver.views.job_requests import breadcrumbs
from jobserver.views.release_lists import pager_of
from jobserver.views.tabs import tabs

LIST = "jobserver:templates/outputs/list.jinja2"


@view_config(context=Outputs, permission=Permission.VIEW, request_method="GET", renderer=LIST)
def outputs_of_workspace(context: Outputs, request: Request) -> dict[str, Any]:
    """The sets of files that the reader may see: published ones, and drafts for those who may."""
    listed = _listed(context, request, queries.in_workspace(context.workspace.id), "workspace")
    return {
        **listed,
        "heading": context.workspace.name,
        "latest_url": view_url(request, context, "latest") if listed["may_see"] else None,
        "breadcrumbs": breadcrumbs(context, request, ("Published outputs", None)),
    }


@view_config(
    context=ProjectResource, name="outputs", permission=Permission.VIEW, request_method="GET", renderer=LIST
)
def outputs_of_project(context: ProjectResource, request: Request) -> dict[str, Any]:
    """The same, of all workspaces of a project."""
    return {
        **_listed(context, request, queries.in_project(context.project.id), "project"),
        "heading": context.project.title,
        "latest_url": None,
        "breadcrumbs": breadcrumbs(context, request, ("Published outputs", None)),
    }


def _listed(context: Any, request: Request, place: Any, scope: str) -> dict[str, Any]:
    """One page of the sets that the address lets through, of those that the reader may see."""
    db = request.db
    may_see = bool(request.has_permission(Permission.SNAPSHOT_VIEW))
    here = place & queries.visible(request.identity)
    facets = lists.facets(db, here)
    form = narrowing.read(request.GET.items(), _fields(facets, scope))
    chosen = lists.narrowed(here, _wanted(form))
    total = facets.total
    if form.is_narrowed:
        total = 0 if form.faults else queries.number_of_snapshots(db, chosen)
    pager = pager_of(request, form, total, queries.PAGE)
    return {
        "scope": scope,
        "form": form,
        "may_see": may_see,
        # Publishers see those drafts that wait for them.
        "shows_drafts": may_see or bool(request.has_permission(Permission.SNAPSHOT_PUBLISH)),
        "pager": pager,
        "total": total,
        "of": facets.total,
        "rows": queries.snapshots(db, chosen, offset=pager.offset) if total else [],
        "here": request.path,
        "now": utcnow(),
        "url": lambda *names: page_url(request, *names),
        "tabs": tabs(request, context),
    }


def _fields(facets: lists.Facets, scope: str) -> list[Field]:
    found = [
        Field("q", "Search"),
        Field("state", "State", facets.states.words, facets.states.counts),
    ]
    if scope == "project":
        found.append(Field("workspace", "Workspace", facets.workspaces.words, facets.workspaces.counts))
    return [*found, *narrowing.days()]


def _wanted(form: Narrowing) -> lists.Wanted:
    return lists.Wanted(
        q=form.value("q"),
        states=form.chosen("state"),
        workspaces=form.chosen("workspace"),
        since=form.day("from"),
        until=form.day("to"),
    )
