"""What came out of a workspace: Releases → Release → ReleaseFile, Outputs → Snapshot, release requests."""

from typing import TYPE_CHECKING, Any

from pyramid.httpexceptions import HTTPForbidden

from jobserver import models
from jobserver.queries import publication, releases
from jobserver.queries.path import as_id
from jobserver.resources.base import Resource
from jobserver.security import acl
from jobserver.security.permissions import Permission

if TYPE_CHECKING:
    from jobserver.resources.tree import WorkspaceResource


# Who has one of these may know that there is a draft: those who decide have a list of all of them.
KNOWING_DRAFTS = (Permission.SNAPSHOT_VIEW, Permission.SNAPSHOT_PUBLISH)


class InWorkspace(Resource):
    """A place below a workspace, with the rows of the path."""

    def __init__(self, parent: "WorkspaceResource | InWorkspace", name: str) -> None:
        super().__init__(parent.request, name, parent)
        self.org: models.Org = parent.org
        self.project: models.Project = parent.project
        self.workspace: models.Workspace = parent.workspace


class Releases(InWorkspace):
    """``…/<workspace>/releases/``: what was released, newest first."""

    def __getitem__(self, name: str) -> "ReleaseResource":
        found = releases.release_by_id(self.request.db, name)
        if found is None or found.workspace_id != self.workspace.id:
            raise KeyError(name)
        return ReleaseResource(self, found)


class FilesResource(InWorkspace):
    """A set of released files. What follows in the address is the name of one of them, folders and all."""

    below: "type[FilePath]"

    def __getitem__(self, name: str) -> InWorkspace:
        if name in self.request.registry.get("files_view_names", {}).get(type(self), ()):
            raise KeyError(name)
        return self.below(self, name)


class FilePath(InWorkspace):
    """``…/<folder>/<file>/`` below a set of files: the page that shows this file among them.

    Whether the set has such a file is for the view to find out.
    """

    def __init__(self, parent: "FilesResource | FilePath", name: str) -> None:
        super().__init__(parent, name)
        self.files: FilesResource = parent.files if isinstance(parent, FilePath) else parent
        self.path: str = f"{parent.path}/{name}" if isinstance(parent, FilePath) else name

    def __getitem__(self, name: str) -> "FilePath":
        return type(self)(self, name)


class ReleaseFilePath(FilePath):
    """``…/releases/<release>/<folder>/<file>/``."""


class LatestFilePath(FilePath):
    """``…/outputs/latest/<backend>/<folder>/<file>/``."""


class SnapshotFilePath(FilePath):
    """``…/outputs/<number>/<folder>/<file>/``."""


class ReleaseResource(FilesResource):
    """``…/releases/<release>/``: one release."""

    below = ReleaseFilePath

    def __init__(self, parent: Releases, release: models.Release) -> None:
        super().__init__(parent, release.id)
        self.release = release

    def __getitem__(self, name: str) -> InWorkspace:
        found = releases.file_by_id(self.request.db, name)
        if found is None or found.release_id != self.release.id:
            return super().__getitem__(name)
        return ReleaseFileResource(self, found)


class ReleaseFileResource(InWorkspace):
    """``…/releases/<release>/<file id>/``: this version of a file, for good."""

    def __init__(self, parent: ReleaseResource, file: models.ReleaseFile) -> None:
        super().__init__(parent, file.id)
        self.files = parent
        self.release = parent.release
        self.file = file


class Outputs(InWorkspace):
    """``…/<workspace>/outputs/``: what was published, and drafts."""

    def __getitem__(self, name: str) -> "SnapshotResource | LatestOutputs":
        if name == "latest":
            return LatestOutputs(self, name)
        number = as_id(name)
        if number is None:
            raise KeyError(name)
        found = releases.snapshot(self.request.db, number)
        if found is not None and found.workspace_id == self.workspace.id:
            place = SnapshotResource(self, found)
            if any(self.request.has_permission(each, place) for each in KNOWING_DRAFTS):
                return place
        # Not everybody may learn which drafts there are: what is hidden and what is missing look the same.
        if self.request.identity is None:
            raise HTTPForbidden
        raise KeyError(name)


class LatestOutputs(FilesResource):
    """``…/outputs/latest/``: of every released file the newest version."""

    below = LatestFilePath


class SnapshotResource(FilesResource):
    """``…/outputs/<number>/``: a set of files, a draft or published."""

    below = SnapshotFilePath

    def __init__(self, parent: Outputs, snapshot: models.Snapshot) -> None:
        super().__init__(parent, str(snapshot.id))
        self.snapshot = snapshot
        self.publication = releases.publication(parent.request.db, snapshot.id)

    @property
    def __acl__(self) -> list[Any]:  # type: ignore[override]
        return acl.snapshot(
            is_published=self.publication.is_published, awaits_decision=self.publication.is_pending
        )

    def __getitem__(self, name: str) -> InWorkspace:
        found = releases.file_of_snapshot(self.request.db, self.snapshot.id, name)
        return SnapshotFileResource(self, found) if found else super().__getitem__(name)


class SnapshotFileResource(InWorkspace):
    """``…/outputs/<number>/<file id>/``: one file of a snapshot, for whoever may see the snapshot."""

    def __init__(self, parent: SnapshotResource, file: models.ReleaseFile) -> None:
        super().__init__(parent, file.id)
        self.files = parent
        self.snapshot = parent.snapshot
        self.file = file


class ReleaseRequests(InWorkspace):
    """``…/<workspace>/release-requests/``: what was asked for in Airlock."""

    def __getitem__(self, name: str) -> "ReleaseRequestResource":
        found = releases.release_request_by_id(self.request.db, name)
        if found is None or found.workspace_id != self.workspace.id:
            raise KeyError(name)
        return ReleaseRequestResource(self, found)


class ReleaseRequestResource(InWorkspace):
    """``…/release-requests/<id>/``: one release request and what happened to it."""

    def __init__(self, parent: ReleaseRequests, release_request: models.ReleaseRequest) -> None:
        super().__init__(parent, release_request.id)
        self.release_request = release_request

    @property
    def __acl__(self) -> list[Any]:  # type: ignore[override]
        return acl.release_request(self.release_request.author_id)


class PublishedFiles(InWorkspace):
    """``…/<workspace>/published/``: files that are public now."""

    def __getitem__(self, name: str) -> "PublishedFileResource":
        found = publication.published_file(self.request.db, self.workspace.id, name)
        if found is None:
            raise KeyError(name)
        return PublishedFileResource(self, found)


class PublishedFileResource(InWorkspace):
    """``…/published/<file>/``: there only while the file is in a published snapshot of the workspace."""

    def __init__(self, parent: PublishedFiles, file: models.ReleaseFile) -> None:
        super().__init__(parent, file.id)
        self.file = file


CHILDREN: dict[str, type[InWorkspace]] = {
    "outputs": Outputs,
    "published": PublishedFiles,
    "release-requests": ReleaseRequests,
    "releases": Releases,
}
