"""Finding the resource behind an address that somebody asks about, by walking the tree as a request does."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from pyramid.exceptions import URLDecodeError
from pyramid.httpexceptions import HTTPMovedPermanently, HTTPNotFound
from pyramid.request import Request
from pyramid.traversal import ResourceTreeTraverser

from jobserver.resources.base import Resource
from jobserver.resources.root import Root
from jobserver.security.callers import CallerRefused

MOST_MOVES = 3


class NoSuchPlace(Exception):
    """The address leads nowhere; the text is a sentence for the person who asked."""


@dataclass(frozen=True)
class Place:
    """A page of the tree: its resource, that one's path, and which permission it asks for by method."""

    resource: Resource
    path: str
    asks: Mapping[str, str] = field(default_factory=dict)


def find(request: Request, address: str) -> Place:
    """The page at this address, or where it has moved to. Raises :class:`NoSuchPlace`."""
    if "\0" in unquote(address):
        # Requests with it never come as far as the tree.
        raise NoSuchPlace("There is no such page.")
    for _ in range(MOST_MOVES):
        try:
            return _walk(request, address)
        except HTTPMovedPermanently as moved:
            address = urlsplit(moved.location).path
    raise NoSuchPlace("This address only leads to others.")


def _walk(request: Request, address: str) -> Place:
    asked = _request(request, address)
    try:
        found = ResourceTreeTraverser(asked.root)(asked)
        resource: Resource = found["context"]
        # Things of the staff area are looked up when they are needed.
        getattr(resource, "thing", None)
    except (CallerRefused, HTTPNotFound, URLDecodeError) as refusal:
        if isinstance(refusal, CallerRefused):
            raise NoSuchPlace(
                "Programs prove who they are there. Ask about the page of the thing itself."
            ) from None
        raise NoSuchPlace("There is no such page.") from None
    path: str = request.resource_path(resource)
    asks = dict(_asks(request, resource, found["view_name"]))
    if not asks or found["subpath"]:
        raise NoSuchPlace(f"There is no such page. The nearest is {path}")
    return Place(resource, path, asks)


def _request(request: Request, address: str) -> Request:
    """A request for that address that reads from the same transaction, and that nobody makes."""
    asked = Request.blank(quote(address, safe="/%:@!$&'()*+,;=~"))
    asked.registry, asked.db, asked.matchdict = request.registry, request.db, None
    asked.call_as = lambda _caller: None
    asked.caller = None
    asked.root = Root(asked)
    return asked


def _asks(request: Request, resource: Resource, name: str) -> Iterator[tuple[str, str]]:
    """The permission that each page of this name asks for, by method."""
    for entry in request.registry.introspector.get_category("views") or ():
        view: Any = entry["introspectable"]
        if view["name"] != name or not isinstance(view["context"], type):
            continue
        if not isinstance(resource, view["context"]):
            continue
        methods = view["request_methods"] or "GET"
        for permission in entry["related"]:
            if permission.category_name == "permissions":
                for method in [methods] if isinstance(methods, str) else methods:
                    yield method, str(permission["value"])
