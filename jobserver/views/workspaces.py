"""The page of a workspace: what runs, what ran, and the way to run more (spec: pages 15.1)."""

from datetime import datetime
from typing import Any

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from jobserver.forms.run_jobs import usable
from jobserver.models import utcnow
from jobserver.queries import workspaces as queries
from jobserver.queries.backends import active_backends, in_maintenance
from jobserver.resources import WorkspaceResource
from jobserver.resources.links import page_url, view_url
from jobserver.security.permissions import Permission
from jobserver.templating.times import clock
from jobserver.views.conditional import interval, not_modified
from jobserver.views.event_logs import tabs
from jobserver.views.on_github import OnGithub


@view_config(
    context=WorkspaceResource,
    permission=Permission.VIEW,
    request_method="GET",
    renderer="jobserver:templates/workspace/page.jinja2",
)
def workspace(context: WorkspaceResource, request: Request) -> dict[str, Any]:
    """The whole page."""
    row = context.workspace
    may_run = bool(request.has_permission(Permission.JOB_RUN))
    shows_run = may_run or bool(request.has_permission(Permission.MEMBER_TOOLS_VIEW))
    settings = request.registry["settings"]
    summary = queries.summary(request.db, row.id)
    return {
        **_summary(context, request, summary, utcnow()),
        "workspace": row,
        "project": context.project,
        "org": context.org,
        "github": OnGithub(settings, row.repo),
        "creator": queries.creator(request.db, row),
        "shows_run": shows_run,
        "run_url": view_url(request, context, "run-jobs"),
        "why_not": _why_not(context, request, may_run=may_run) if shows_run else None,
        "shows_archived": row.is_archived and request.has_permission(Permission.WORKSPACE_STATUS_VIEW),
        "maintenance": in_maintenance(request.db) if request.identity else [],
        "tabs": tabs(request, context),
        "breadcrumbs": [
            (context.org.name, page_url(request, context.org.slug)),
            (context.project.name, page_url(request, context.org.slug, context.project.slug)),
            (row.name, None, "mono"),
        ],
    }


@view_config(
    context=WorkspaceResource,
    request_param="live",
    permission=Permission.VIEW,
    request_method="GET",
    renderer="jobserver:templates/workspace/summary.jinja2",
)
def workspace_summary(context: WorkspaceResource, request: Request) -> dict[str, Any] | Response:
    """The part of the page that changes; a 304 if the browser has it as it is."""
    now = utcnow()
    summary = queries.summary(request.db, context.workspace.id)
    return not_modified(request, summary.version, clock(now)) or _summary(context, request, summary, now)


def _summary(
    context: WorkspaceResource, request: Request, summary: queries.Summary, now: datetime
) -> dict[str, Any]:
    return {
        "summary": summary,
        "now": now,
        "seconds": interval(summary.youngest, now),
        "live_url": view_url(request, context, query={"live": "1"}),
        "reload_url": view_url(request, context),
        "log_url": view_url(request, context, "logs"),
        "url": lambda *names: page_url(request, *names),
        "place": (context.org.slug, context.project.slug, context.workspace.name),
    }


def _why_not(context: WorkspaceResource, request: Request, *, may_run: bool) -> str | None:
    """Why this person cannot run anything here just now."""
    offered = active_backends(request.db, for_user_id=request.identity.user_id)
    switched_off = request.registry["settings"].disable_creating_jobs
    return queries.why_not_run(
        context.workspace,
        may_run=may_run,
        offered=offered,
        usable=usable(offered, creation_disabled=switched_off),
    )
