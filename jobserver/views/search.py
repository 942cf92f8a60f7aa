"""The search in the header of every page (spec: pages 30.7 no. 68)."""

from typing import Any

from pyramid.httpexceptions import HTTPNotFound, HTTPSeeOther
from pyramid.request import Request
from pyramid.view import view_config

from jobserver.queries import search as queries
from jobserver.resources import Root
from jobserver.resources.links import page_url
from jobserver.security.permissions import Permission


@view_config(
    context=Root,
    name="search",
    permission=Permission.VIEW,
    request_method="GET",
    renderer="jobserver:templates/search/page.jinja2",
)
def search(context: Root, request: Request) -> dict[str, Any]:
    """What is called so, by kind; a number or an identifier of one thing leads straight to it.

    ``kind`` shows more of one kind.
    """
    q = request.GET.get("q", "").replace("\0", "").strip()
    kind = request.GET.get("kind") or None
    if kind is not None and kind not in queries.KINDS:
        raise HTTPNotFound
    path = queries.the_one(request.db, q)
    if path:
        raise HTTPSeeOther(page_url(request, *path))
    return {
        "q": q,
        "kind": kind,
        "found": queries.search(request.db, q, kind=kind),
        "most": queries.MANY,
        "url": lambda *names: page_url(request, *names),
        "more_url": lambda kind: page_url(request, "search", query={"q": q[: queries.LONGEST], "kind": kind}),
        "all_url": page_url(request, "search", query={"q": q[: queries.LONGEST]}),
        "breadcrumbs": [],
    }
