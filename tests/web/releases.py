"""What came out of a workspace, for tests: releases with files, sets of them, release requests."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from jobserver import models as m
from jobserver.clients.storage import ReleaseStorage
from jobserver.models import utcnow
from tests import factories as f


def address(workspace: m.Workspace, *names: Any) -> str:
    """A page below the workspace."""
    project = workspace.project
    return "/" + "".join(f"{name}/" for name in (project.org.slug, project.slug, workspace.name, *names))


def lines(answer: Any) -> list[Any]:
    """The files in the tree of the viewer, in their order."""
    return list(answer.html.select("#tree li[id^=file-]"))


@dataclass
class Place:
    """A workspace, and one person of every kind that matters here."""

    workspace: m.Workspace
    developer: m.User
    collaborator: m.User
    stranger: m.User
    checker: m.User

    def address(self, *names: Any) -> str:
        """A page below the workspace."""
        return address(self.workspace, *names)


def place() -> Place:
    """A workspace without outputs."""
    workspace = f.WorkspaceFactory()
    developer, collaborator = (
        f.ProjectMembershipFactory(project=workspace.project, roles=[role]).user
        for role in ("ProjectDeveloper", "ProjectCollaborator")
    )
    return Place(
        workspace,
        developer,
        collaborator,
        f.UserFactory(),
        f.UserFactory(roles=["OutputChecker"], fullname="Checker One"),
    )


def release(place: Place, **values: Any) -> m.Release:
    """A release of the checker's."""
    return f.ReleaseFactory(workspace=place.workspace, **{"created_by": place.checker, **values})


def file(release: m.Release, name: str, content: bytes = b"a,b\n1,2\n", *, storage: ReleaseStorage) -> Any:
    """A file of the release that has arrived."""
    return f.ReleaseFileFactory(release=release, name=name, content=content, storage=storage)


def waiting(release: m.Release, name: str) -> Any:
    """A file that was announced and has not arrived."""
    return f.ReleaseFileFactory(release=release, name=name, content=b"abc")


def redacted(release: m.Release, name: str, by: m.User, reason: str = "", **values: Any) -> Any:
    """A file that was redacted."""
    now = utcnow()
    path = f"{release.workspace.name}/releases/{release.id}/{name}"
    return f.ReleaseFileFactory(
        release=release,
        name=name,
        path=path,
        uploaded_at=now - timedelta(hours=1),
        uploaded_by=release.created_by,
        deleted_at=now,
        deleted_by_id=by.id,
        deleted_reason=reason,
        **values,
    )


def snapshot(place: Place, files: list[Any], *, published_by: m.User | None = None, **values: Any) -> Any:
    """A set of files: a draft, or published by somebody."""
    made = f.SnapshotFactory(
        workspace=place.workspace, files=files, **{"created_by": place.developer, **values}
    )
    if published_by is not None:
        f.PublishRequestFactory(
            snapshot=made, decision="approved", decision_at=utcnow(), decision_by=published_by
        )
    return made
