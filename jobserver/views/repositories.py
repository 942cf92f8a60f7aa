"""From the address of a repository to the project that runs its code (spec: pages 20.1)."""

from typing import Any
from urllib.parse import unquote

from pyramid.httpexceptions import HTTPFound, HTTPNotFound
from pyramid.request import Request
from pyramid.view import view_config

from jobserver.queries import repos
from jobserver.resources import Root
from jobserver.resources.links import page_url
from jobserver.security.permissions import Permission


@view_config(
    context=Root,
    name="repo",
    subpath_allowed=True,
    permission=Permission.VIEW,
    request_method="GET",
    renderer="jobserver:templates/repo/page.jinja2",
)
def repository(context: Root, request: Request) -> dict[str, Any] | HTTPFound:
    """To the one project; or the list of several; or that nothing of it has run yet.

    The address is quoted twice in links from elsewhere, once or not at all where a proxy undid it.
    """
    address = repos.address_of(unquote("/".join(request.subpath)))
    if address is None or not repos.is_of_an_organisation(request.db, address.owner):
        raise HTTPNotFound
    projects = repos.projects_using(request.db, address)
    if len(projects) == 1:
        return HTTPFound(page_url(request, *projects[0].path))
    return {
        "address": address,
        "projects": projects,
        "url": lambda *names: page_url(request, *names),
        "breadcrumbs": [("Repositories", None), (address.name, None, "mono")],
    }
