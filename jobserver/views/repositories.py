"""Repositories: which projects run their code, and the way from old addresses (spec: pages 20)."""

from typing import Any

from pyramid.httpexceptions import HTTPFound, HTTPMovedPermanently, HTTPNotFound
from pyramid.request import Request
from pyramid.view import view_config

from jobserver.models import utcnow
from jobserver.queries import repos
from jobserver.resources.links import page_url, view_url
from jobserver.resources.repositories import OldRepo, OldSignOff, RepoResource
from jobserver.security.permissions import Permission


@view_config(
    context=RepoResource,
    permission=Permission.VIEW,
    request_method="GET",
    renderer="jobserver:templates/repo/page.jinja2",
)
def repository(context: RepoResource, request: Request) -> dict[str, Any]:
    """The projects that use it, or that nothing of it has run yet."""
    address, known = context.address, context.known
    if known is None and not repos.is_of_an_organisation(request.db, address.owner):
        raise HTTPNotFound
    return {
        "address": address,
        "repo": known and known.repo,
        "projects": repos.projects_using(request.db, address),
        "may_sign_off": request.has_permission(Permission.REPO_SIGN_OFF),
        "sign_off_url": view_url(request, context, "sign-off"),
        "now": utcnow(),
        "url": lambda *names: page_url(request, *names),
        "breadcrumbs": [("Repositories", None), (address.name, None, "mono")],
    }


@view_config(context=OldRepo, permission=Permission.VIEW, request_method="GET")
def old_address(context: OldRepo, request: Request) -> HTTPFound:
    """To the one project that uses it; to the repository's page if none does, or several do."""
    address = context.address
    if address is None or not repos.is_of_an_organisation(request.db, address.owner):
        raise HTTPNotFound
    projects = repos.projects_using(request.db, address)
    path = projects[0].path if len(projects) == 1 else ("repo", address.owner, address.name)
    return HTTPFound(page_url(request, *path))


@view_config(context=OldSignOff, permission=Permission.VIEW, request_method="GET")
def old_sign_off(context: OldSignOff, request: Request) -> HTTPMovedPermanently:
    """To the page where researchers sign it off."""
    address = context.address
    if address is None:
        raise HTTPNotFound
    return HTTPMovedPermanently(page_url(request, "repo", address.owner, address.name, "sign-off"))
