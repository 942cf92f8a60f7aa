"""The page of an organisation (spec: pages 21)."""

from typing import Any

from pyramid.request import Request
from pyramid.view import view_config

from jobserver.queries.orgs import projects_of
from jobserver.resources import OrgResource
from jobserver.resources.links import page_url, view_url
from jobserver.security.permissions import Permission


@view_config(
    context=OrgResource,
    permission=Permission.VIEW,
    request_method="GET",
    renderer="jobserver:templates/org/page.jinja2",
)
def org(context: OrgResource, request: Request) -> dict[str, Any]:
    """What the organisation is, and its projects. Who belongs to it is not public."""
    return {
        "org": context.org,
        "projects": projects_of(request.db, context.org.id),
        "url": lambda *names: page_url(request, *names),
        "log_url": view_url(request, context, "logs"),
        "breadcrumbs": [(context.org.name, None)],
    }
