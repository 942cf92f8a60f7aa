"""``/api/v2/workspaces/``: how a workspace stands, and its snapshots (spec: airlock 6, rap 10.4)."""

from typing import NoReturn

from pyramid.request import Request

from jobserver import models
from jobserver.queries import releases
from jobserver.queries.path import as_id
from jobserver.resources.api.base import Endpoint, Section, nothing_matches, workspace_or_nothing
from jobserver.resources.base import Resource
from jobserver.resources.outputs import Outputs, SnapshotResource
from jobserver.resources.proofs import Proof
from jobserver.resources.tree import workspace_named
from jobserver.security import callers
from jobserver.security.callers import CallerRefused


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
        self.workspace = workspace_or_nothing(request, parent.__name__)
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
