"""What waits to be made public, for those who decide: ``/publish-requests/`` (spec: pages 30.12 no. 72)."""

from typing import Any

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from jobserver.queries.publish_queue import QUEUE
from jobserver.queries.publish_requests import open_to
from jobserver.resources import Root
from jobserver.security.permissions import Permission
from jobserver.views.staff.listing import listed


@view_config(
    context=Root,
    name="publish-requests",
    permission=Permission.SNAPSHOT_PUBLISH,
    request_method="GET",
    renderer="jobserver:templates/publishing/queue.jinja2",
)
def queue(context: Root, request: Request) -> dict[str, Any] | Response:
    """Every wish to publish, what waits first; links only to what the reader may see."""
    found = listed(
        request,
        QUEUE,
        part="/publishing/rows",
        heading="Publish requests",
        file="publish-requests",
        breadcrumbs=[("Publish requests", None)],
    )
    if isinstance(found, dict):
        ids = {row.snapshot_id for row in found["rows"]}
        found["may_open"] = open_to(request.db, request.identity, ids)
    return found
