"""The page of a project (spec: pages 14.1)."""

from typing import Any

from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request
from pyramid.view import view_config

from jobserver.models import Workspace, utcnow
from jobserver.queries import activity
from jobserver.queries import projects as queries
from jobserver.queries.asking import givers_of_project_roles
from jobserver.resources import ProjectResource
from jobserver.resources.links import page_url, view_url
from jobserver.security.permissions import Permission
from jobserver.templating.pager import Pager, page_number
from jobserver.views.on_github import OnGithub
from jobserver.views.tabs import tabs

PURPOSE = "https://www.opensafely.org/project/{}/"


@view_config(
    context=ProjectResource,
    permission=Permission.VIEW,
    request_method="GET",
    renderer="jobserver:templates/project/page.jinja2",
)
def project(context: ProjectResource, request: Request) -> dict[str, Any]:
    """The project's workspaces, repositories, organisations and people, and what went on lately."""
    db, row = request.db, context.project
    settings = request.registry["settings"]
    total = queries.number_of_workspaces(db, row.id)
    number = page_number(request.GET.get("page"), total, queries.PAGE)
    if number is None:
        raise HTTPNotFound
    pager = Pager(number, total, queries.PAGE, list(request.GET.items()))
    here = Workspace.project_id == row.id
    is_member = bool(request.has_permission(Permission.MEMBER_TOOLS_VIEW))
    everybody = request.GET.get("members") == "all"
    return {
        "org": context.org,
        "project": row,
        "pager": pager,
        "workspaces": queries.workspaces_of(db, row.id, offset=pager.offset),
        "repos": queries.repos_of(db, row.id),
        "orgs": queries.orgs_of(db, row.id),
        "members": queries.members_of(
            db, row.id, limit=queries.MOST_MEMBERS if everybody else queries.FEW_MEMBERS
        ),
        "number_of_members": queries.number_of_members(db, row.id),
        "all_members_url": view_url(request, context, query={"members": "all"}),
        "first_run": activity.first_run(db, here),
        "latest": activity.latest_in(db, here),
        "is_member": is_member,
        "role_givers": givers_of_project_roles(),
        "may_edit": bool(request.has_permission(Permission.PROJECT_MANAGE)),
        "may_create": bool(request.has_permission(Permission.WORKSPACE_CREATE)),
        "shows_status": bool(request.has_permission(Permission.WORKSPACE_STATUS_VIEW)),
        "shows_roles": bool(request.has_permission(Permission.PROJECT_ROLES_VIEW)),
        "purpose_url": PURPOSE.format(row.number) if row.number else None,
        "edit_url": view_url(request, context, "edit"),
        "new_url": view_url(request, context, "new-workspace"),
        "log_url": view_url(request, context, "logs"),
        "github": lambda repo: OnGithub(settings, repo),
        "url": lambda *names: page_url(request, *names),
        "now": utcnow(),
        "tabs": tabs(request, context),
        "breadcrumbs": [(context.org.name, page_url(request, context.org.slug)), (row.name, None)],
    }
