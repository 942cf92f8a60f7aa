"""The application that a project came of (spec: staff 8.6, 17.31)."""

from typing import Any

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.view import view_config

from jobserver.actions import applications as actions
from jobserver.actions.naming import Refused
from jobserver.queries.path import as_id
from jobserver.queries.staff import applications as queries
from jobserver.resources.links import page_url
from jobserver.resources.staff import StaffProject
from jobserver.security.permissions import Permission
from jobserver.views.staff.places import project_crumbs, project_home

TEMPLATE = "jobserver:templates/staff/projects/link_application.jinja2"
MAY = Permission.PROJECT_LINK_TO_APPLICATION
LONGEST = 200


@view_config(
    context=StaffProject, name="link-application", permission=MAY, request_method="GET", renderer=TEMPLATE
)
def choose(context: StaffProject, request: Request) -> dict[str, Any]:
    """The applications that can be linked, the newest first; ``q`` narrows them."""
    return _page(context, request)


@view_config(
    context=StaffProject, name="link-application", permission=MAY, request_method="POST", renderer=TEMPLATE
)
def link(context: StaffProject, request: Request) -> dict[str, Any] | HTTPSeeOther:
    """Link the one chosen."""
    project = context.thing
    # Zero is nobody's: what cannot be an id is treated like one that is not there.
    chosen = as_id(str(request.POST.get("application", "")).strip()) or 0
    try:
        application = actions.link(request.db, project, chosen, by=request.identity)
    except Refused as refused:
        return _page(context, request, fault=str(refused))
    request.flash("success", f"Linked application {application.hash} to {project.title}.")
    return HTTPSeeOther(project_home(request, project))


@view_config(context=StaffProject, name="unlink-application", permission=MAY, request_method="POST")
def unlink(context: StaffProject, request: Request) -> HTTPSeeOther:
    """Take the link away, if it is the one that the person saw."""
    project = context.thing
    chosen = as_id(str(request.POST.get("application", "")).strip()) or 0
    application = actions.unlink(request.db, project, chosen, by=request.identity)
    if application is None:
        request.flash("warning", "The project is not linked to that application. Nothing was changed.")
    else:
        request.flash("success", f"Application {application.hash} is no longer linked to {project.title}.")
    return HTTPSeeOther(project_home(request, project))


def _page(context: StaffProject, request: Request, fault: str = "") -> dict[str, Any]:
    project = context.thing
    q = request.GET.get("q", "").replace("\0", "").strip()[:LONGEST]
    return {
        "project": project,
        "fault": fault,
        "q": q,
        "linked": queries.of_project(request.db, project.id),
        "rows": queries.to_link(request.db, q),
        "most": queries.MOST_OFFERED,
        "here": request.path,
        "unlink_url": page_url(request, "staff", "projects", project.slug, "unlink-application"),
        "url": lambda *names: page_url(request, *names),
        "back_url": project_home(request, project),
        "breadcrumbs": project_crumbs(request, project, "Link an application"),
    }
