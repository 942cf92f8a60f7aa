"""What the addresses of the JSON API are made of."""

from typing import ClassVar, NoReturn

from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request

from jobserver.models import TokenScope
from jobserver.resources.base import Resource
from jobserver.resources.proofs import Proof, prove
from jobserver.resources.tree import WorkspaceResource, workspace_named


class NothingMatches(HTTPNotFound):  # type: ignore[misc]
    """404 of an address that names something that is not there."""

    def __init__(self, entity: str) -> None:
        super().__init__(f"No {entity} matches the given query.")


def nothing_matches(entity: str) -> NoReturn:
    """There is no such thing."""
    raise NothingMatches(entity)


class Endpoint(Resource):
    """An address of the API. ``proofs`` says by method how the caller proves who is calling.

    ``proof`` is that of all other methods, which are then told that they are not allowed. A personal token
    needs one of ``scopes``.
    """

    proof: ClassVar[Proof]
    proofs: ClassVar[dict[str, Proof]] = {}
    scopes: ClassVar[frozenset[TokenScope]] = frozenset()
    ends_in_slash: ClassVar[bool] = False

    def __init__(self, request: Request, name: str, parent: Resource) -> None:
        super().__init__(request, name, parent)
        prove(request, self.proofs.get(request.method, self.proof), self.scopes)


class Section(Resource):
    """A part of an address below which there are others."""

    children: ClassVar[dict[str, type[Resource]]] = {}

    def __getitem__(self, name: str) -> Resource:
        return self.children[name](self.request, name, self)


def workspace_or_nothing(request: Request, name: str) -> WorkspaceResource:
    """The workspace; NothingMatches without one."""
    found = workspace_named(request, name)
    return found if found is not None else nothing_matches("Workspace")
