"""``/api/v2/releases/``: what Airlock asks for, and the released files (spec: airlock 2)."""

from typing import ClassVar

from pyramid.request import Request

from jobserver import models
from jobserver.models import TokenScope
from jobserver.queries import releases
from jobserver.resources.api.base import Endpoint, Section, nothing_matches, workspace_or_nothing
from jobserver.resources.base import Resource
from jobserver.resources.outputs import ReleaseFileResource, ReleaseResource, Releases
from jobserver.resources.proofs import Proof


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
        self.workspace = workspace_or_nothing(request, name)
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
        workspace = workspace_or_nothing(request, found.workspace.name)
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
        self.workspace = workspace_or_nothing(request, found.release.workspace.name)
        release = ReleaseResource(Releases(self.workspace, "releases"), found.release)
        self.__parent__ = ReleaseFileResource(release, found)


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
