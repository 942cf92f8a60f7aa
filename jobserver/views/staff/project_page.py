"""A project in the staff area (spec: staff 8.4)."""

from typing import Any

from pyramid.request import Request
from pyramid.view import view_config

from jobserver.forms.staff.projects import CATEGORIES
from jobserver.models import Project, utcnow
from jobserver.queries import projects as public
from jobserver.queries.staff import applications, audit
from jobserver.queries.staff import project_page as queries
from jobserver.resources.links import page_url
from jobserver.resources.staff import StaffProject
from jobserver.security.permissions import Permission
from jobserver.views.staff.places import project_crumbs


@view_config(
    context=StaffProject,
    permission=Permission.STAFF_AREA_VIEW,
    request_method="GET",
    renderer="jobserver:templates/staff/projects/page.jinja2",
)
def project(context: StaffProject, request: Request) -> dict[str, Any]:
    """Everything that staff know of a project."""
    db, found = request.db, context.thing
    return {
        "project": found,
        "people": queries.people(db, found),
        "members": queries.members(db, found.id),
        "orgs": public.orgs_of(db, found.id),
        "workspaces": queries.workspaces(db, found.id),
        "number_of_workspaces": public.facts(db, found.id).workspaces,
        "redirects": queries.redirects(db, found.id),
        "application": applications.of_project(db, found.id),
        "events": audit.recent(db, "Project", found.id),
        "category": CATEGORIES.get(found.category, found.category),
        "now": utcnow(),
        "url": lambda *names: page_url(request, *names),
        "here": lambda *names: page_url(request, "staff", "projects", found.slug, *names),
        "public_url": page_url(request, found.org.slug, found.slug),
        "tabs": tabs(request, found),
        "breadcrumbs": project_crumbs(request, None, found.name),
    }


def tabs(request: Request, project: Project) -> list[dict[str, Any]]:
    """The pages of a project, with the one marked that is shown."""
    here = ("staff", "projects", project.slug)
    found = [("Project", page_url(request, *here)), ("Audit log", page_url(request, *here, "audit-log"))]
    return [{"label": label, "href": href, "current": href == request.path} for label, href in found]
