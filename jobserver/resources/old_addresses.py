"""Where an old address leads now (spec: the addresses page; domain 3.19 and 13.27-28).

Asked only when a path names nothing: what exists always wins over a redirect. That holds for each part of
the path: the old address of a place that exists again, below which something is missing, leads nowhere, so
that two renamings can never lead in a circle.
"""

from pyramid.httpexceptions import HTTPFound, HTTPMovedPermanently
from pyramid.request import Request
from pyramid.traversal import split_path_info

from jobserver.queries import addresses
from jobserver.resources.links import page_url

EXEMPT = frozenset({"api", "staff", "static"})


def new_address(request: Request) -> HTTPFound | HTTPMovedPermanently | None:
    """The redirect from the request's path, or None. The query is kept."""
    segments = split_path_info(request.path_info)
    if not segments or segments[0] in EXEMPT:
        return None
    if segments[0] == "orgs" and len(segments) > 1:
        return HTTPMovedPermanently(page_url(request, *segments[1:], keep_query=True))
    there = len(getattr(request, "traversed", ()))
    names = None if there else addresses.project_by_slug(request.db, segments[0])
    if names:
        return HTTPMovedPermanently(page_url(request, *names, *segments[1:], keep_query=True))
    stored = addresses.stored_redirect(request.db, segments, longer_than=there)
    if stored:
        target, length = stored
        # It expires one day, so a browser must not keep it for ever.
        return HTTPFound(page_url(request, *target, *segments[length:], keep_query=True))
    return None
