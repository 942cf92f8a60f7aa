"""The page of a workspace: what runs, what ran, and the way to run more (spec: pages 15.1)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from jobserver.forms.run_jobs import usable
from jobserver.models import utcnow
from jobserver.queries import release_pages, release_request_lists
from jobserver.queries import workspaces as queries
from jobserver.queries.asking import givers_of_project_roles
from jobserver.queries.backends import active_backends, in_maintenance
from jobserver.queries.mail_preferences import is_muted
from jobserver.resources import WorkspaceResource
from jobserver.resources.links import page_url, view_url
from jobserver.security.permissions import Permission
from jobserver.templating.times import clock
from jobserver.views.breadcrumbs import breadcrumbs
from jobserver.views.conditional import interval, not_modified
from jobserver.views.on_github import OnGithub
from jobserver.views.tabs import tabs

NEWEST = 3


@dataclass(frozen=True)
class May:
    """What the reader may change about the workspace."""

    edit: bool
    archive: bool
    notify: bool

    @property
    def any(self) -> bool:
        """Whether it is anything at all."""
        return self.edit or self.archive or self.notify


@view_config(
    context=WorkspaceResource,
    permission=Permission.VIEW,
    request_method="GET",
    renderer="jobserver:templates/workspace/page.jinja2",
)
def workspace(context: WorkspaceResource, request: Request) -> dict[str, Any]:
    """The whole page."""
    row, now = context.workspace, utcnow()
    may_run = bool(request.has_permission(Permission.JOB_RUN))
    is_member = bool(request.has_permission(Permission.MEMBER_TOOLS_VIEW))
    shows_run = may_run or is_member
    private_since = queries.private_for_long(request.db, row.repo, now) if is_member else None
    summary = queries.summary(request.db, row)
    out = summary.facts.out
    return {
        **_summary(context, request, summary, now),
        "workspace": row,
        "project": context.project,
        "org": context.org,
        "github": OnGithub(request.registry["settings"], row.repo),
        "sign_off_url": page_url(request, "repo", row.repo.owner, row.repo.name, "sign-off"),
        "is_member": is_member,
        "may": _may(request),
        "role_givers": givers_of_project_roles(),
        "private_since": private_since,
        "must_be_public_at": private_since and private_since.at + queries.MUST_BE_PUBLIC_AFTER,
        "muted": is_muted(request.db, request.identity.user_id, row.id) if is_member else None,
        "shows_run": shows_run,
        "why_not": _why_not(context, request, may_run=may_run) if shows_run else None,
        "shows_archived": row.is_archived and request.has_permission(Permission.WORKSPACE_STATUS_VIEW),
        "maintenance": in_maintenance(request.db) if request.identity else [],
        "run_url": view_url(request, context, "run-jobs"),
        "edit_url": view_url(request, context, "edit"),
        "archive_url": view_url(request, context, "archive-toggle"),
        "notifications_url": view_url(request, context, "notifications-toggle"),
        "mute_url": view_url(request, context, "mute-toggle"),
        **_came_out(context, request),
        "published": out.published,
        "tabs": tabs(request, context, out),
        "breadcrumbs": breadcrumbs(context, request),
    }


@view_config(
    context=WorkspaceResource,
    request_param="live",
    permission=Permission.VIEW,
    request_method="GET",
    renderer="jobserver:templates/workspace/summary.jinja2",
)
def workspace_summary(context: WorkspaceResource, request: Request) -> dict[str, Any] | Response:
    """The part of the page that changes; a 304, and little work, if the browser has it as it is."""
    now = utcnow()
    version = queries.version(request.db, context.workspace.id)
    unchanged = not_modified(request, version, clock(now))
    if unchanged is not None:
        return unchanged
    return _summary(context, request, queries.summary(request.db, context.workspace), now)


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
        "place": context.workspace.path,
    }


def _came_out(context: WorkspaceResource, request: Request) -> dict[str, Any]:
    """The newest releases, and the newest release requests for those who may see them all."""
    db, here = request.db, context.workspace.id
    sees_files = bool(request.has_permission(Permission.RELEASE_FILE_VIEW))
    sees_requests = bool(request.has_permission(Permission.UNRELEASED_OUTPUTS_VIEW))
    asked = release_request_lists.in_workspace(here)
    return {
        "releases": release_pages.releases(
            db, release_pages.in_workspace(here), with_files=sees_files, limit=NEWEST
        ),
        "release_requests": release_request_lists.requests(db, asked, limit=NEWEST) if sees_requests else [],
    }


def _may(request: Request) -> May:
    return May(
        edit=bool(request.has_permission(Permission.WORKSPACE_CREATE)),
        archive=bool(request.has_permission(Permission.WORKSPACE_ARCHIVE)),
        notify=bool(request.has_permission(Permission.WORKSPACE_TOGGLE_NOTIFICATIONS)),
    )


def _why_not(context: WorkspaceResource, request: Request, *, may_run: bool) -> str | None:
    """Why this person cannot run anything here just now, and whom to ask."""
    settings = request.registry["settings"]
    offered = active_backends(request.db, for_user_id=request.identity.user_id)
    return queries.why_not_run(
        context.workspace,
        may_run=may_run,
        offered=offered,
        usable=usable(offered, creation_disabled=settings.disable_creating_jobs),
        support=settings.support_email,
    )
