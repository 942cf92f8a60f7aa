"""Pages that explain: how to get started, and how accessible the service is."""

from typing import Any

from pyramid.request import Request
from pyramid.view import view_config

from jobserver.queries.asking import givers_of_project_roles, givers_of_the_rest
from jobserver.resources import Root
from jobserver.resources.links import page_url
from jobserver.security.permissions import Permission


@view_config(
    context=Root,
    name="accessibility",
    permission=Permission.VIEW,
    request_method="GET",
    renderer="jobserver:templates/accessibility/statement.jinja2",
)
def statement(context: Root, request: Request) -> dict[str, Any]:
    """The accessibility statement."""
    return {"breadcrumbs": [("Accessibility statement", None)]}


@view_config(
    context=Root,
    name="getting-started",
    permission=Permission.VIEW,
    request_method="GET",
    renderer="jobserver:templates/accessibility/getting_started.jinja2",
)
def getting_started(context: Root, request: Request) -> dict[str, Any]:
    """The way to a first output, whom to ask on it, and the words."""
    return {
        "url": lambda *names: page_url(request, *names),
        "gives_project_roles": givers_of_project_roles(),
        "gives_the_rest": givers_of_the_rest(),
        "breadcrumbs": [("Getting started", None)],
    }
