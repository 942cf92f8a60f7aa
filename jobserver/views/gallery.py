"""The component gallery, made from the macros themselves (spec: pages 23)."""

from typing import Any

from pyramid.request import Request
from pyramid.view import view_config

from jobserver.resources import Root
from jobserver.security.permissions import Permission
from jobserver.templating import environment, gallery


@view_config(
    context=Root,
    name="ui-components",
    permission=Permission.VIEW,
    request_method="GET",
    renderer="jobserver:templates/gallery.jinja2",
)
def ui_components(context: Root, request: Request) -> dict[str, Any]:
    """Every component in every state."""
    return {"sections": gallery.sections(environment(request.registry)), "breadcrumbs": []}
