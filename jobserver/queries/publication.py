"""What is public of a workspace's released files, and what can be made so (spec: airlock 6)."""

from collections.abc import Collection

from sqlalchemy import ARRAY, Text, any_, cast, exists, select, text
from sqlalchemy.orm import Session, joinedload

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
from jobserver.queries.outputs import of_latest
from jobserver.queries.releases import LONGEST_ID


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
    release = joinedload(ReleaseFile.release)
    return db.scalar(
        select(ReleaseFile)
        .where(
            ReleaseFile.id == id_,
            ReleaseFile.workspace_id == workspace_id,
            ReleaseFile.uploaded_at.is_not(None),
            ReleaseFile.deleted_at.is_(None),
            public,
        )
        .options(
            release.joinedload(Release.workspace),
            release.joinedload(Release.backend),
            release.joinedload(Release.created_by),
        )
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


def path_of_snapshot(db: Session, snapshot: Snapshot) -> tuple[str, ...]:
    """The names that lead to the snapshot's page."""
    row = db.execute(
        select(Org.slug, Project.slug, Workspace.name)
        .join_from(Workspace, Workspace.project)
        .join(Project.org)
        .where(Workspace.id == snapshot.workspace_id)
    ).one()
    return (*row, "outputs", str(snapshot.id))
