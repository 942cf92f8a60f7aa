"""The description of the JSON API: a page for people, a document for programs."""

from typing import Any

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from jobserver import openapi
from jobserver.openapi import reading
from jobserver.resources.api import Documentation
from jobserver.security.permissions import Permission

HOUR = 3600


@view_config(
    context=Documentation,
    permission=Permission.VIEW,
    request_method="GET",
    renderer="jobserver:templates/api/documentation.jinja2",
)
def page(context: Documentation, request: Request) -> dict[str, Any]:
    """How to call the API, address by address."""
    return {
        "sections": reading.sections(request.registry["settings"].base_url),
        "common_answers": reading.common_answers(),
        "breadcrumbs": [("JSON API", None)],
    }


@view_config(
    context=Documentation,
    name="openapi.json",
    permission=Permission.VIEW,
    request_method="GET",
    no_slash=True,
    endpoint=True,
)
def document(context: Documentation, request: Request) -> Response:
    """The same as an OpenAPI document."""
    response = Response(openapi.as_json(), content_type="application/json", charset=None)
    response.etag = openapi.etag()
    response.cache_control.public = True
    response.cache_control.max_age = HOUR
    response.conditional_response = True
    return response
