"""Lists by name: all organisations and people, and one's own organisations, projects, workspaces."""

from collections.abc import Callable
from typing import Any

from pyramid.request import Request
from pyramid.view import view_config

from jobserver.models import utcnow
from jobserver.queries import lists as queries
from jobserver.queries.lists import Listing
from jobserver.resources import Root, Users
from jobserver.resources.links import page_url
from jobserver.security.permissions import Permission
from jobserver.views.pages import pager_of

TEMPLATE = "jobserver:templates/lists/page.jinja2"


@view_config(
    context=Root, name="organisations", permission=Permission.VIEW, request_method="GET", renderer=TEMPLATE
)
def organisations(context: Root, request: Request) -> dict[str, Any]:
    """Every organisation that takes part."""
    return _listed(request, queries.organisations, "organisations", "Organisations")


@view_config(
    context=Root,
    name="orgs",
    # What follows is an old address of an organisation, for everybody.
    path_info=r"^/orgs/?$",
    permission=Permission.ACCOUNT,
    request_method="GET",
    renderer=TEMPLATE,
)
def my_organisations(context: Root, request: Request) -> dict[str, Any]:
    """The organisations that the reader belongs to."""

    def mine(q: str) -> Listing[Any]:
        return queries.organisations(q, of=request.identity)

    return _listed(request, mine, "my_organisations", "Your organisations")


@view_config(
    context=Root, name="projects", permission=Permission.ACCOUNT, request_method="GET", renderer=TEMPLATE
)
def my_projects(context: Root, request: Request) -> dict[str, Any]:
    """The projects that the reader is a member of."""

    def mine(q: str) -> Listing[Any]:
        return queries.projects_of(request.identity.user_id, q)

    return _listed(request, mine, "my_projects", "Your projects")


@view_config(
    context=Root, name="workspaces", permission=Permission.ACCOUNT, request_method="GET", renderer=TEMPLATE
)
def my_workspaces(context: Root, request: Request) -> dict[str, Any]:
    """The workspaces of the reader's projects; in use, archived or all."""
    state = request.GET.get("state", "")
    archived = {"in-use": False, "archived": True}.get(state)

    def mine(q: str) -> Listing[Any]:
        return queries.workspaces_of(request.identity, q, archived=archived)

    page = _listed(request, mine, "my_workspaces", "Your workspaces")
    return {
        **page,
        "state": state if archived is not None else "",
        "toggles": [
            {
                "label": label,
                "href": page_url(request, "workspaces", query=_query(q=page["q"], state=value)),
                "current": value == (state if archived is not None else ""),
            }
            for value, label in (("", "All"), ("in-use", "In use"), ("archived", "Archived"))
        ],
        "is_narrowed": bool(page["q"]) or archived is not None,
    }


@view_config(context=Users, permission=Permission.VIEW, request_method="GET", renderer=TEMPLATE)
def people(context: Users, request: Request) -> dict[str, Any]:
    """Everybody who has taken part."""
    return _listed(request, queries.people, "people", "Users")


def _query(**values: str) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}


def _listed(
    request: Request, listing: Callable[[str], Listing[Any]], part: str, heading: str
) -> dict[str, Any]:
    """One page of a list, and what its template shows. 404 for a page that the list does not have."""
    q = request.GET.get("q", "").strip()
    rows = listing(q)
    total = rows.count(request.db)
    pager = pager_of(request, total, rows.size)
    return {
        "part": f"lists/{part}.jinja2",
        "heading": heading,
        "q": q,
        "is_narrowed": bool(q),
        "total": total,
        "rows": rows.page(request.db, pager.offset),
        "pager": pager,
        "here": request.path,
        "now": utcnow(),
        "url": lambda *names: page_url(request, *names),
        "breadcrumbs": [(heading, None)],
    }
