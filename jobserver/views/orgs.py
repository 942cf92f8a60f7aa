"""The page of an organisation (spec: pages 21)."""

from typing import Any

from pyramid.request import Request
from pyramid.view import view_config

from jobserver.models import utcnow
from jobserver.queries import orgs as queries
from jobserver.resources import OrgResource
from jobserver.resources.links import page_url, view_url
from jobserver.resources.uploads import logo_url
from jobserver.security.permissions import Permission
from jobserver.views.pages import pager_of


@view_config(
    context=OrgResource,
    permission=Permission.VIEW,
    request_method="GET",
    renderer="jobserver:templates/org/page.jinja2",
)
def org(context: OrgResource, request: Request) -> dict[str, Any]:
    """What the organisation is, its projects, and what went on lately. Who belongs to it is not public."""
    db, row = request.db, context.org
    pager = pager_of(request, queries.number_of_projects(db, row.id), queries.PAGE)
    return {
        "org": row,
        "logo": logo_url(row),
        "pager": pager,
        "projects": queries.projects_of(db, row.id, offset=pager.offset),
        "latest": queries.latest_of(db, row.id),
        "now": utcnow(),
        "url": lambda *names: page_url(request, *names),
        "log_url": view_url(request, context, "logs"),
        "breadcrumbs": [(row.name, None)],
    }
