"""The logs: every job request, newest first, of everybody or below one place (spec: pages 9)."""

from typing import Any

from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request
from pyramid.view import view_config

from jobserver.models import utcnow
from jobserver.queries import event_logs as queries
from jobserver.queries.backends import in_maintenance
from jobserver.queries.event_logs import Log
from jobserver.resources import OrgResource, ProjectResource, Root, WorkspaceResource
from jobserver.resources.links import page_url, view_url
from jobserver.security.permissions import Permission
from jobserver.templating.pager import Pager, page_number

TEMPLATE = "jobserver:templates/event_log/page.jinja2"


@view_config(
    context=Root, name="event-log", permission=Permission.VIEW, request_method="GET", renderer=TEMPLATE
)
def event_log(context: Root, request: Request) -> dict[str, Any]:
    """Everything that was ever asked for."""
    return {**_log(request, Log(), "all"), "heading": "Event log", "kind": None, "breadcrumbs": []}


@view_config(
    context=OrgResource, name="logs", permission=Permission.VIEW, request_method="GET", renderer=TEMPLATE
)
def org_log(context: OrgResource, request: Request) -> dict[str, Any]:
    """What was asked for in the projects in which the organisation takes part."""
    org = context.org
    return {
        **_log(request, Log(org_id=org.id), "org"),
        "heading": org.name,
        "kind": "Job requests",
        "breadcrumbs": [(org.name, view_url(request, context)), ("Job requests", None)],
    }


@view_config(
    context=ProjectResource, name="logs", permission=Permission.VIEW, request_method="GET", renderer=TEMPLATE
)
def project_log(context: ProjectResource, request: Request) -> dict[str, Any]:
    """What was asked for in the project."""
    org, project = context.org, context.project
    return {
        **_log(request, Log(project_id=project.id), "project"),
        "heading": project.title,
        "kind": "Job requests",
        "tabs": tabs(request, context),
        "breadcrumbs": [
            (org.name, page_url(request, org.slug)),
            (project.name, view_url(request, context)),
            ("Job requests", None),
        ],
    }


@view_config(
    context=WorkspaceResource,
    name="logs",
    permission=Permission.VIEW,
    request_method="GET",
    renderer="jobserver:templates/event_log/workspace.jinja2",
)
def workspace_log(context: WorkspaceResource, request: Request) -> dict[str, Any]:
    """What was asked for in the workspace, by search and backend."""
    org, project, workspace = context.org, context.project, context.workspace
    log = Log(
        workspace_id=workspace.id,
        q=request.GET.get("q", "").strip(),
        backends=tuple(dict.fromkeys(filter(None, request.GET.getall("backend")))),
    )
    offered = queries.backends_used(request.db, workspace.id)
    return {
        **_log(request, log, "workspace"),
        "heading": workspace.name,
        "kind": "Job requests",
        "workspace": workspace,
        "offered": [(choice.slug, choice.name) for choice in offered],
        "chips": _chips(log, {choice.slug: choice.name for choice in offered}),
        "log_url": view_url(request, context, "logs"),
        "shows_archived": workspace.is_archived and request.has_permission(Permission.WORKSPACE_STATUS_VIEW),
        "maintenance": in_maintenance(request.db) if request.identity else [],
        "tabs": tabs(request, context),
        "breadcrumbs": [
            (org.name, page_url(request, org.slug)),
            (project.name, page_url(request, org.slug, project.slug)),
            (workspace.name, view_url(request, context), "mono"),
            ("Job requests", None),
        ],
    }


def tabs(request: Request, context: Any) -> list[dict[str, Any]]:
    """A project's or workspace's own page and its log."""
    on_log = request.view_name == "logs"
    return [
        {"label": "Overview", "href": view_url(request, context), "current": not on_log},
        {"label": "Job requests", "href": view_url(request, context, "logs"), "current": on_log},
    ]


def _log(request: Request, log: Log, scope: str) -> dict[str, Any]:
    """One page of a log. ``scope`` decides which columns are worth showing."""
    total = queries.count(request.db, log)
    number = page_number(request.GET.get("page"), total, queries.PAGE)
    if number is None:
        raise HTTPNotFound
    pager = Pager(number, total, queries.PAGE, list(request.GET.items()))
    return {
        "rows": queries.page(request.db, log, limit=queries.PAGE, offset=pager.offset),
        "pager": pager,
        "total": total,
        "log": log,
        "scope": scope,
        "tabs": [],
        "now": utcnow(),
        "url": lambda *names: page_url(request, *names),
    }


def _chips(log: Log, names: dict[str, str]) -> list[tuple[str, str]]:
    """What the log is narrowed by, each with the address without it."""
    chosen = [("q", log.q)] if log.q else []
    chosen += [("backend", slug) for slug in log.backends]
    found = []
    for field in chosen:
        rest = [other for other in chosen if other != field]
        name, value = field
        label = f"Search: {value}" if name == "q" else f"Backend: {names.get(value, value)}"
        found.append((label, Pager(1, 0, queries.PAGE, rest).url(1)))
    return found
