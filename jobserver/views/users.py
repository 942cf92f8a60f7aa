"""The page of a person (spec: pages 21)."""

from typing import Any

from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request
from pyramid.view import view_config

from jobserver.models import JobRequest, utcnow
from jobserver.queries import event_logs, people
from jobserver.resources import UserResource
from jobserver.resources.links import page_url, view_url
from jobserver.security.permissions import Permission

LATEST = 10


def hide_from_strangers(context: UserResource, request: Request) -> None:
    """404, as if there were nobody of this name, for somebody who has never taken part.

    They themselves and staff see the page (spec: pages 30.1 no. 6).
    """
    reader = request.identity
    if reader is not None and reader.user_id == context.user.id:
        return
    if not people.is_public(request.db, context.user.id) and not request.has_permission(
        Permission.STAFF_AREA_ACCESS
    ):
        raise HTTPNotFound


@view_config(
    context=UserResource,
    permission=Permission.VIEW,
    request_method="GET",
    renderer="jobserver:templates/users/page.jinja2",
)
def user(context: UserResource, request: Request) -> dict[str, Any]:
    """Who they are, their projects and what they last asked for. Their roles are not public."""
    hide_from_strangers(context, request)
    db, person = request.db, context.user
    return {
        "person": person,
        "projects": people.projects_of(db, person.id),
        "latest": event_logs.newest(db, JobRequest.created_by_id == person.id, limit=LATEST),
        "log_url": view_url(request, context, "logs"),
        "is_public": people.is_public(db, person.id),
        "now": utcnow(),
        "url": lambda *names: page_url(request, *names),
        "breadcrumbs": [("Users", page_url(request, "users")), (person.fullname, None)],
    }
