"""Applications for projects in the staff area (spec: staff 3.1)."""

from typing import Any

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from jobserver.queries.staff import applications as queries
from jobserver.resources.links import page_url
from jobserver.resources.staff import StaffApplication, StaffApplications
from jobserver.security.permissions import Permission
from jobserver.views.staff.listing import TEMPLATE, listed


@view_config(
    context=StaffApplications, permission=Permission.STAFF_AREA_VIEW, request_method="GET", renderer=TEMPLATE
)
def applications(context: StaffApplications, request: Request) -> dict[str, Any] | Response:
    """Every application, deleted ones among them."""
    return listed(request, queries.APPLICATIONS, part="applications", heading="Applications")


@view_config(
    context=StaffApplication,
    permission=Permission.STAFF_AREA_VIEW,
    request_method="GET",
    renderer="jobserver:templates/staff/application.jinja2",
)
def application(context: StaffApplication, request: Request) -> dict[str, Any]:
    """What is known of one."""
    found = context.thing
    return {
        "facts": queries.facts(request.db, found),
        "application": found,
        "url": lambda *names: page_url(request, *names),
        "breadcrumbs": [
            ("Staff area", page_url(request, "staff")),
            ("Applications", page_url(request, "staff", "applications")),
            (found.hash, None, "mono"),
        ],
    }
