"""The page of a project (spec: pages 14.1)."""

from typing import Any

from pyramid.request import Request
from pyramid.view import view_config

from jobserver.models import Workspace, utcnow
from jobserver.queries import activity, output_lists, release_pages
from jobserver.queries import projects as queries
from jobserver.queries.asking import givers_of_project_roles
from jobserver.queries.output_pages import CameOut
from jobserver.resources import ProjectResource
from jobserver.resources.links import page_url, view_url
from jobserver.security.permissions import Permission
from jobserver.views.breadcrumbs import breadcrumbs
from jobserver.views.on_github import OnGithub
from jobserver.views.pages import pager_of
from jobserver.views.tabs import tabs

NEWEST = 5
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
    facts = queries.facts(db, row.id)
    pager = pager_of(request, facts.workspaces, queries.PAGE)
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
        "number_of_members": facts.members,
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
        **_came_out(context, request, facts.out),
        "tabs": tabs(request, context, facts.out),
        "breadcrumbs": breadcrumbs(context, request),
    }


def _came_out(context: ProjectResource, request: Request, out: CameOut) -> dict[str, Any]:
    """Of each workspace what was last published, and the newest releases."""
    db, here = request.db, context.project.id
    sees_files = bool(request.has_permission(Permission.RELEASE_FILE_VIEW))
    return {
        "published": output_lists.newest_published(db, here, limit=NEWEST) if out.published else [],
        "releases": release_pages.releases(
            db, release_pages.in_project(here), with_files=sees_files, limit=NEWEST
        )
        if out.releases
        else [],
    }
