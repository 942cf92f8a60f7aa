"""What every resource of the tree has."""

from typing import Any

from pyramid.request import Request


class Resource:
    """A place in the tree: its name, its parent, and the request that walks it.

    ``__acl__`` says only what this level adds; the walk to the root adds the rest.
    """

    __acl__: list[Any] = []  # noqa: RUF012

    def __init__(self, request: Request, name: str, parent: "Resource | None") -> None:
        self.request = request
        self.__name__ = name
        self.__parent__ = parent

    def __getitem__(self, name: str) -> "Resource":
        raise KeyError(name)
