"""The audit trail: all of it, a person's, a project's (spec: staff 8.8, 13.5, 17.28)."""

from typing import Any

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from jobserver.queries.staff.audit_list import AUDIT, of_project, of_user
from jobserver.queries.staff.user import facts
from jobserver.resources.links import page_url
from jobserver.resources.staff import StaffAudit, StaffProject, StaffUser
from jobserver.security.permissions import Permission
from jobserver.views.staff.listing import TEMPLATE, listed
from jobserver.views.staff.project_page import tabs as project_tabs
from jobserver.views.staff.user_frame import tabs as user_tabs


@view_config(
    context=StaffAudit, permission=Permission.STAFF_AREA_VIEW, request_method="GET", renderer=TEMPLATE
)
def audit(context: StaffAudit, request: Request) -> dict[str, Any] | Response:
    """Every event."""
    return listed(request, AUDIT, part="audit", heading="Audit log")


@view_config(
    context=StaffUser,
    name="audit-log",
    permission=Permission.STAFF_AREA_VIEW,
    request_method="GET",
    renderer=TEMPLATE,
)
def audit_of_user(context: StaffUser, request: Request) -> dict[str, Any] | Response:
    """What somebody did, and what was done to their account."""
    user = context.thing
    return listed(
        request,
        of_user(user),
        part="audit",
        heading=user.username,
        page_name=f"Audit log – {user.username}",
        about="User",
        tabs=user_tabs(request, user, facts(request.db, user), "audit-log"),
        told="What this person did, and what was done to their account and memberships.",
        breadcrumbs=_trail(request, ("users", "Users"), (user.username, user.username)),
    )


@view_config(
    context=StaffProject,
    name="audit-log",
    permission=Permission.STAFF_AREA_VIEW,
    request_method="GET",
    renderer=TEMPLATE,
)
def audit_of_project(context: StaffProject, request: Request) -> dict[str, Any] | Response:
    """What was done to a project, its members and its workspaces."""
    project = context.thing
    return listed(
        request,
        of_project(project),
        part="audit",
        heading=project.title,
        page_name=f"Audit log – {project.title}",
        about="Project",
        tabs=project_tabs(request, project),
        told="What was done to this project, its members and its workspaces.",
        breadcrumbs=_trail(request, ("projects", "Projects"), (project.slug, project.name)),
    )


def _trail(request: Request, kind: tuple[str, str], thing: tuple[str, str]) -> list[tuple[str, str | None]]:
    above = page_url(request, "staff", kind[0])
    here = page_url(request, "staff", kind[0], thing[0])
    staff = ("Staff area", page_url(request, "staff"))
    return [staff, (kind[1], above), (thing[1], here), ("Audit log", None)]
