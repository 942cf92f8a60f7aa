"""Dashboards: projects and repositories with what was done in them (spec: staff 5)."""

from dataclasses import dataclass
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


@dataclass(frozen=True)
class Dashboard:
    """One of them: its heading, what it is for, and its rows."""

    heading: str
    about: str
    listing: StaffList[Any]


# By their names in the address.
DASHBOARDS = {
    "copiloting": Dashboard(
        "Co-piloting",
        "Projects with their co-pilots, repositories and what was run and released.",
        COPILOTING,
    ),
    "project": Dashboard("Projects", "All projects, with how much was run and released.", PROJECT_DASHBOARD),
    "repos": Dashboard(
        "Private repositories",
        "Private repositories whose code first ran 11 months ago or earlier; after 12 they must be public.",
        PRIVATE_REPOS,
    ),
    "repos-with-multiple-projects": Dashboard(
        "Repositories of several projects",
        "Repositories that workspaces of more than one project use.",
        SHARED_REPOS,
    ),
}


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


def dashboard(context: StaffDashboards, request: Request) -> dict[str, Any] | Response:
    """One of them, as the address says."""
    found = DASHBOARDS[request.view_name]
    return listed(
        request,
        found.listing,
        part=f"dashboard_{request.view_name.replace('-', '_')}",
        heading=found.heading,
        sentence=found.about,
        breadcrumbs=[
            ("Staff area", page_url(request, "staff")),
            ("Dashboards", page_url(request, "staff", "dashboards")),
            (found.heading, None),
        ],
    )


for _name in DASHBOARDS:
    view_config(
        context=StaffDashboards,
        name=_name,
        permission=Permission.STAFF_AREA_VIEW,
        request_method="GET",
        renderer=TEMPLATE,
    )(dashboard)
