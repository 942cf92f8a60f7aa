"""People in the staff area (spec: staff 13)."""

from typing import Any

from pyramid.httpexceptions import HTTPFound
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from jobserver.queries.staff.users import USERS, backend_slugs
from jobserver.resources.links import page_url
from jobserver.resources.staff import StaffUsers
from jobserver.security.permissions import Permission
from jobserver.views.staff.listing import TEMPLATE, listed


@view_config(
    context=StaffUsers, permission=Permission.STAFF_AREA_VIEW, request_method="GET", renderer=TEMPLATE
)
def users(context: StaffUsers, request: Request) -> dict[str, Any] | Response:
    """Everybody who has an account. Old bookmarks name a backend by its id: they lead to its slug."""
    asked = request.GET.getall("backend")
    if asked and (slugs := backend_slugs(request.db, asked)):
        query = [
            (name, slugs.get(value, value) if name == "backend" else value)
            for name, value in request.GET.items()
        ]
        return HTTPFound(page_url(request, "staff", "users", query=query))
    return listed(request, USERS, part="users", heading="Users")
