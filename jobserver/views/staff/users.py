"""People in the staff area (spec: staff 13)."""

from typing import Any

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from jobserver.queries.staff.users import USERS
from jobserver.resources.staff import StaffUsers
from jobserver.security.permissions import Permission
from jobserver.views.staff.listing import TEMPLATE, listed


@view_config(
    context=StaffUsers, permission=Permission.STAFF_AREA_VIEW, request_method="GET", renderer=TEMPLATE
)
def users(context: StaffUsers, request: Request) -> dict[str, Any] | Response:
    """Everybody who has an account."""
    return listed(request, USERS, part="users", heading="Users")
