"""The JSON API, ``/api/v2/``: an address for each thing that another program asks for or tells.

An address that concerns a workspace hangs below that workspace's own resource, so that the same access lists
decide as on its pages. Spec: airlock 2, rap 10.
"""

from typing import Any, ClassVar, NoReturn

from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request

from jobserver import models
from jobserver.models import TokenScope
from jobserver.queries import releases
from jobserver.queries.path import as_id
from jobserver.resources.base import Resource
from jobserver.resources.outputs import (
    Outputs,
    ReleaseFileResource,
    ReleaseResource,
    Releases,
    SnapshotResource,
)
from jobserver.resources.proofs import Proof, prove
from jobserver.resources.tree import WorkspaceResource, workspace_named
from jobserver.security import callers
from jobserver.security.callers import CallerRefused


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


class Level4Authentication(Endpoint):
    """``releases/authenticate``: signs somebody in to Level 4 with a token of theirs."""

    proof = Proof.BACKEND


class Level4Authorisation(Endpoint):
    """``releases/authorise``: what somebody may see in Level 4."""

    proof = Proof.BACKEND


class WorkspaceReleases(Endpoint):
    """``releases/workspace/<name>``: the newest files of a workspace; a new release."""

    proof = Proof.READER
    proofs: ClassVar[dict[str, Proof]] = {"POST": Proof.THROUGH_BACKEND}
    scopes = frozenset({TokenScope.RELEASES, TokenScope.WORKSPACES})

    def __init__(self, request: Request, name: str, parent: Resource) -> None:
        super().__init__(request, name, parent)
        self.workspace = _workspace(request, name)
        self.__parent__ = self.workspace


class ReleaseEndpoint(Endpoint):
    """``releases/release/<id>``: a release's files; the bytes of one of them."""

    proof = Proof.READER
    proofs: ClassVar[dict[str, Proof]] = {"POST": Proof.THROUGH_BACKEND}
    scopes = frozenset({TokenScope.RELEASES})

    def __init__(self, request: Request, name: str, parent: Resource) -> None:
        super().__init__(request, name, parent)
        found = releases.release_by_id(request.db, name) or nothing_matches("Release")
        self.release: models.Release = found
        workspace = _workspace(request, found.workspace.name)
        self.workspace = workspace
        self.__parent__ = ReleaseResource(Releases(workspace, "releases"), found)

    def __getitem__(self, name: str) -> "ReleaseReviews":
        if name != "reviews":
            raise KeyError(name)
        return ReleaseReviews(self)


class ReleaseReviews(Resource):
    """``releases/release/<id>/reviews``: what checkers thought of the files."""

    def __init__(self, parent: ReleaseEndpoint) -> None:
        super().__init__(parent.request, "reviews", parent)
        self.release = parent.release
        self.workspace = parent.workspace


class FileEndpoint(Endpoint):
    """``releases/file/<id>``: the bytes of a file."""

    proof = Proof.READER
    scopes = frozenset({TokenScope.RELEASES})

    def __init__(self, request: Request, name: str, parent: Resource) -> None:
        super().__init__(request, name, parent)
        found = releases.file_by_id(request.db, name)
        if found is None or found.deleted_at is not None:
            nothing_matches("ReleaseFile")
        self.file: models.ReleaseFile = found
        self.workspace = _workspace(request, found.release.workspace.name)
        release = ReleaseResource(Releases(self.workspace, "releases"), found.release)
        self.__parent__ = ReleaseFileResource(release, found)


class WorkspacesSection(Resource):
    """``workspaces/<name>/…``."""

    def __getitem__(self, name: str) -> "WorkspaceSection":
        return WorkspaceSection(self.request, name, self)


class WorkspaceSection(Section):
    """``workspaces/<name>/…``: what it is asked for is looked up by what is asked."""


class WorkspaceStatus(Endpoint):
    """``workspaces/<name>/status``: which way its files are released."""

    proof = Proof.NOTHING

    def __init__(self, request: Request, name: str, parent: Resource) -> None:
        super().__init__(request, name, parent)
        self.workspace = _workspace(request, parent.__name__)
        self.__parent__ = self.workspace


class WorkspaceStatuses(Endpoint):
    """``workspaces/<name>/statuses/``: how the newest job of each action stands."""

    proof = Proof.NOTHING
    ends_in_slash = True

    def __init__(self, request: Request, name: str, parent: Resource) -> None:
        super().__init__(request, name, parent)
        # A workspace that is not there is answered by the view, without a body (spec: rap 10.4).
        self.workspace = workspace_named(request, parent.__name__)


class Snapshots(Endpoint):
    """``workspaces/<name>/snapshots``: a new draft."""

    proof = Proof.SESSION

    def __init__(self, request: Request, name: str, parent: Resource) -> None:
        super().__init__(request, name, parent)
        self.workspace = workspace_named(request, parent.__name__) or self.nothing("Workspace")
        self.__parent__ = self.workspace

    def nothing(self, entity: str) -> NoReturn:
        """There is no such thing; a stranger is told what they are told of a draft (spec: airlock 12.8)."""
        if self.request.caller is None:
            raise CallerRefused(callers.NOT_PROVIDED)
        nothing_matches(entity)

    def __getitem__(self, name: str) -> "SnapshotEndpoint":
        return SnapshotEndpoint(self, name)


class SnapshotEndpoint(Resource):
    """``workspaces/<name>/snapshots/<n>``: a snapshot's files."""

    def __init__(self, parent: Snapshots, name: str) -> None:
        self.workspace = parent.workspace
        number = as_id(name)
        found = releases.snapshot(parent.request.db, number) if number else None
        if found is None or found.workspace_id != parent.workspace.workspace.id:
            parent.nothing("Snapshot")
        self.snapshot: models.Snapshot = found
        self.page = SnapshotResource(Outputs(parent.workspace, "outputs"), found)
        super().__init__(parent.request, name, self.page)

    def __getitem__(self, name: str) -> "SnapshotPublication":
        if name != "publish":
            raise KeyError(name)
        return SnapshotPublication(self)


class SnapshotPublication(Resource):
    """``workspaces/<name>/snapshots/<n>/publish``: make it public."""

    def __init__(self, parent: SnapshotEndpoint) -> None:
        super().__init__(parent.request, "publish", parent)
        self.snapshot = parent.snapshot
        self.workspace = parent.workspace


WorkspaceSection.children = {
    "snapshots": Snapshots,
    "status": WorkspaceStatus,
    "statuses": WorkspaceStatuses,
}


class AirlockEvents(Endpoint):
    """``airlock/events/``: what happened to a release request."""

    proof = Proof.BACKEND
    ends_in_slash = True


class JobsEndpoint(Endpoint):
    """``jobs/``: what became of jobs, told by an older controller."""

    proof = Proof.BACKEND
    ends_in_slash = True


class JobRequestsEndpoint(Endpoint):
    """``job-requests/``: what is to be run, for an older controller."""

    proof = Proof.BACKEND_OR_READER
    scopes = frozenset({TokenScope.JOB_REQUESTS})
    ends_in_slash = True


class UsersSection(Resource):
    """``users/<username>/``."""

    def __getitem__(self, name: str) -> "UserEndpoint":
        return UserEndpoint(self.request, name, self)


class UserEndpoint(Endpoint):
    """``users/<username>/``: somebody's roles and what they allow."""

    proof = Proof.BACKEND
    ends_in_slash = True


class Documentation(Resource):
    """``docs/``: the API, for reading; ``docs/openapi.json``: for programs."""


class _Events(Section):
    children: ClassVar[dict[str, type[Resource]]] = {"events": AirlockEvents}


class _Workspaces(Resource):
    def __getitem__(self, name: str) -> WorkspaceReleases:
        return WorkspaceReleases(self.request, name, self)


class _Releases(Resource):
    def __getitem__(self, name: str) -> ReleaseEndpoint:
        return ReleaseEndpoint(self.request, name, self)


class _Files(Resource):
    def __getitem__(self, name: str) -> FileEndpoint:
        return FileEndpoint(self.request, name, self)


class ReleasesSection(Section):
    """``releases/…``."""

    children: ClassVar[dict[str, type[Resource]]] = {
        "authenticate": Level4Authentication,
        "authorise": Level4Authorisation,
        "file": _Files,
        "release": _Releases,
        "workspace": _Workspaces,
    }


class Version2(Section):
    """``/api/v2/``."""

    children: ClassVar[dict[str, type[Resource]]] = {
        "airlock": _Events,
        "docs": Documentation,
        "job-requests": JobRequestsEndpoint,
        "jobs": JobsEndpoint,
        "releases": ReleasesSection,
        "users": UsersSection,
        "workspaces": WorkspacesSection,
    }


class Api(Section):
    """``/api/``."""

    children: ClassVar[dict[str, type[Resource]]] = {"v2": Version2}


def _workspace(request: Request, name: str) -> WorkspaceResource:
    found = workspace_named(request, name)
    return found if found is not None else nothing_matches("Workspace")


def answers_machines(context: Any) -> bool:
    """Whether the resource is an address of the API, whose errors are JSON."""
    return isinstance(
        context, Endpoint | ReleaseReviews | SnapshotEndpoint | SnapshotPublication | Documentation
    )
