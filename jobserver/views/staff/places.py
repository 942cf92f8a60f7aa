"""Where staff go: pages that they may open, whatever their roles (spec: staff 17.23)."""

from typing import Any

from pyramid.request import Request

from jobserver.models import Project
from jobserver.resources.links import page_url
from jobserver.security.permissions import Permission

Crumbs = list[tuple[Any, ...]]


def project_home(request: Request, project: Project) -> str:
    """The project's page in the staff area; for those who only look after projects, the one they have."""
    here = ("staff", "projects", project.slug)
    if request.has_permission(Permission.STAFF_AREA_VIEW):
        return page_url(request, *here)
    if request.has_permission(Permission.PROJECT_CREATE):
        return page_url(request, *here, "created")
    return page_url(request, project.org.slug, project.slug)


def project_crumbs(request: Request, project: Project | None, *last: str) -> Crumbs:
    """The way to a page about projects, of links that the person may follow."""
    sees = request.has_permission(Permission.STAFF_AREA_VIEW)
    found: Crumbs = [
        ("Staff area", page_url(request, "staff") if sees else None),
        ("Projects", page_url(request, "staff", "projects") if sees else None),
    ]
    if project is not None:
        found.append((project.name, project_home(request, project)))
    return [*found, *((each, None) for each in last)]
