"""Dashboards: projects and repositories with what was done in them (spec: staff 5)."""

from typing import Any

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from jobserver.queries.staff.listing import StaffList
from jobserver.queries.staff.project_dashboards import COPILOTING, PROJECT_DASHBOARD
from jobserver.queries.staff.repo_dashboards import PRIVATE_REPOS, SHARED_REPOS
from jobserver.resources.links import page_url
from jobserver.resources.staff import StaffDashboards
from jobserver.security.permissions import Permission
from jobserver.views.staff.listing import TEMPLATE, listed

# Name in the address, heading, what it is for.
DASHBOARDS = (
    (
        "copiloting",
        "Co-piloting",
        "Projects with their co-pilots, repositories and what was run and released.",
    ),
    ("project", "Projects", "All projects, with how much was run and released."),
    (
        "repos",
        "Private repositories",
        "Private repositories whose code first ran 11 months ago or earlier; after 12 they must be public.",
    ),
    (
        "repos-with-multiple-projects",
        "Repositories of several projects",
        "Repositories that workspaces of more than one project use.",
    ),
)


@view_config(
    context=StaffDashboards,
    permission=Permission.STAFF_AREA_VIEW,
    request_method="GET",
    renderer="jobserver:templates/staff/dashboards.jinja2",
)
def dashboards(context: StaffDashboards, request: Request) -> dict[str, Any]:
    """Which there are."""
    return {
        "dashboards": DASHBOARDS,
        "url": lambda *names: page_url(request, *names),
        "breadcrumbs": [("Staff area", page_url(request, "staff")), ("Dashboards", None)],
    }


@view_config(
    context=StaffDashboards,
    name="copiloting",
    permission=Permission.STAFF_AREA_VIEW,
    request_method="GET",
    renderer=TEMPLATE,
)
def copiloting(context: StaffDashboards, request: Request) -> dict[str, Any] | Response:
    """Projects that co-pilots look after: those of no organisation that has none."""
    return _dashboard(request, COPILOTING, "copiloting")


@view_config(
    context=StaffDashboards,
    name="project",
    permission=Permission.STAFF_AREA_VIEW,
    request_method="GET",
    renderer=TEMPLATE,
)
def project(context: StaffDashboards, request: Request) -> dict[str, Any] | Response:
    """All projects."""
    return _dashboard(request, PROJECT_DASHBOARD, "project")


@view_config(
    context=StaffDashboards,
    name="repos",
    permission=Permission.STAFF_AREA_VIEW,
    request_method="GET",
    renderer=TEMPLATE,
)
def repos(context: StaffDashboards, request: Request) -> dict[str, Any] | Response:
    """Private repositories that must soon be public."""
    return _dashboard(request, PRIVATE_REPOS, "repos")


@view_config(
    context=StaffDashboards,
    name="repos-with-multiple-projects",
    permission=Permission.STAFF_AREA_VIEW,
    request_method="GET",
    renderer=TEMPLATE,
)
def shared_repos(context: StaffDashboards, request: Request) -> dict[str, Any] | Response:
    """Repositories of several projects."""
    return _dashboard(request, SHARED_REPOS, "repos-with-multiple-projects")


def _dashboard(request: Request, listing: StaffList[Any], name: str) -> dict[str, Any] | Response:
    heading, lede = next(each[1:] for each in DASHBOARDS if each[0] == name)
    return listed(
        request,
        listing,
        part=f"dashboard_{name.replace('-', '_')}",
        heading=heading,
        sentence=lede,
        breadcrumbs=[
            ("Staff area", page_url(request, "staff")),
            ("Dashboards", page_url(request, "staff", "dashboards")),
            (heading, None),
        ],
    )
