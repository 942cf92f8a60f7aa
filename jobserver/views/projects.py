"""The page of a project (spec: pages 14.1)."""

from typing import Any

from pyramid.request import Request
from pyramid.view import view_config

from jobserver.queries import projects as queries
from jobserver.resources import ProjectResource
from jobserver.resources.links import page_url
from jobserver.security.permissions import Permission
from jobserver.views.event_logs import tabs
from jobserver.views.on_github import OnGithub


@view_config(
    context=ProjectResource,
    permission=Permission.VIEW,
    request_method="GET",
    renderer="jobserver:templates/project/page.jinja2",
)
def project(context: ProjectResource, request: Request) -> dict[str, Any]:
    """The project's workspaces, organisations and people, and when its code first ran."""
    db, row = request.db, context.project
    settings = request.registry["settings"]
    return {
        "org": context.org,
        "project": row,
        "workspaces": queries.workspaces_of(db, row.id),
        "orgs": queries.orgs_of(db, row.id),
        "members": queries.members_of(db, row.id),
        "first_run": queries.first_run(db, row.id),
        "shows_status": bool(request.has_permission(Permission.WORKSPACE_STATUS_VIEW)),
        "shows_roles": bool(request.has_permission(Permission.PROJECT_ROLES_VIEW)),
        "github": lambda repo: OnGithub(settings, repo),
        "url": lambda *names: page_url(request, *names),
        "tabs": tabs(request, context),
        "breadcrumbs": [(context.org.name, page_url(request, context.org.slug)), (row.name, None)],
    }
