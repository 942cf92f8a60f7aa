"""What is public of a workspace's released files, and what can be made so (spec: airlock 6)."""

from collections.abc import Collection, Iterable

from sqlalchemy import ARRAY, ColumnElement, Text, any_, cast, exists, false, func, select, text
from sqlalchemy.orm import Session

from jobserver.models import (
    Org,
    Project,
    PublishRequest,
    Release,
    ReleaseFile,
    Snapshot,
    SnapshotFile,
    Workspace,
)
from jobserver.models.publication import IN_FORCE
from jobserver.queries.outputs import is_readable, of_latest
from jobserver.queries.releases import LONGEST_ID, WITH_RELEASE


def published_file(db: Session, workspace_id: int, id_: str) -> ReleaseFile | None:
    """The file, if it can be read and a published snapshot of this workspace has it (spec: airlock 12.10)."""
    if len(id_) > LONGEST_ID or "\0" in id_:
        return None
    public = (
        exists()
        .where(
            SnapshotFile.release_file_id == ReleaseFile.id,
            SnapshotFile.snapshot_id == PublishRequest.snapshot_id,
            text(IN_FORCE),
        )
        .correlate(ReleaseFile)
    )
    return db.scalar(
        select(ReleaseFile)
        .where(
            ReleaseFile.id == id_,
            ReleaseFile.workspace_id == workspace_id,
            is_readable(),
            public,
        )
        .options(*WITH_RELEASE)
    )


def latest_named(db: Session, workspace_id: int, names: Collection[str]) -> dict[str, list[str]]:
    """By name the ids of those of the latest outputs that have one of these names."""
    statement = select(ReleaseFile.name, ReleaseFile.id).where(
        of_latest(workspace_id), ReleaseFile.name == any_(cast(list(names), ARRAY(Text)))
    )
    found: dict[str, list[str]] = {}
    for name, id_ in db.execute(statement.order_by(ReleaseFile.name, ReleaseFile.id)):
        found.setdefault(name, []).append(id_)
    return found


def these(workspace_id: int, ids: Iterable[str]) -> ColumnElement[bool]:
    """Of files: those with these ids, however many, as far as they are the workspace's."""
    wanted = [id_ for id_ in ids if "\0" not in id_]
    return (ReleaseFile.workspace_id == workspace_id) & (ReleaseFile.id == any_(cast(wanted, ARRAY(Text))))


def latest_beside(db: Session, workspace_id: int, id_: str) -> ColumnElement[bool]:
    """Of files: the latest outputs from the same backend and in the same folder as this file."""
    beside = db.execute(
        select(ReleaseFile.name, Release.backend_id)
        .join(Release, Release.id == ReleaseFile.release_id)
        .where(these(workspace_id, [id_]))
    ).first()
    if beside is None:
        return false()
    folder = beside.name[: beside.name.rfind("/") + 1]
    rest = func.substr(ReleaseFile.name, len(folder) + 1)
    of_backend = select(Release.id).where(Release.backend_id == beside.backend_id)
    return (
        of_latest(workspace_id)
        & ReleaseFile.release_id.in_(of_backend)
        & ReleaseFile.name.startswith(folder, autoescape=True)
        & ~rest.contains("/")
    )


def readable(db: Session, files: ColumnElement[bool]) -> list[str]:
    """The ids of those of the files that can be read."""
    return list(db.scalars(select(ReleaseFile.id).where(files, is_readable()).order_by(ReleaseFile.name)))


def path_of_snapshot(db: Session, snapshot: Snapshot) -> tuple[str, ...]:
    """The names that lead to the snapshot's page."""
    row = db.execute(
        select(Org.slug, Project.slug, Workspace.name)
        .join_from(Workspace, Workspace.project)
        .join(Project.org)
        .where(Workspace.id == snapshot.workspace_id)
    ).one()
    return (*row, "outputs", str(snapshot.id))
