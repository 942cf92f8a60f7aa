"""Addresses of pages, made from the tree.

Where a resource is at hand, use ``request.resource_url``. A list has only the names along the
path of each of its rows: :func:`page_url` makes the same addresses from those.
"""

from typing import Any

from pyramid.encode import urlencode
from pyramid.request import Request
from pyramid.traversal import quote_path_segment


def page_url(request: Request, *names: Any, keep_query: bool = False, query: Any = None) -> str:
    """The address of the page at this path below the root, as a path with its final slash."""
    # What resource_url would do from the root, which for every link of a long list takes its time.
    url = "/" + "".join([f"{quote_path_segment(str(name))}/" for name in names])
    if query:
        url += f"?{urlencode(query)}"
    # The query is passed on as it came: Pyramid would encode its percent signs again.
    return f"{url}?{request.query_string}" if keep_query and request.query_string else url


def view_url(request: Request, resource: Any, view_name: str = "", *, query: Any = None) -> str:
    """The address of a resource, or of one of its named pages, as a path with its final slash."""
    elements = (view_name, "") if view_name else ()
    options: dict[str, Any] = {"app_url": ""}
    if query:
        options["query"] = query
    url: str = request.resource_url(resource, *elements, **options)
    return url
