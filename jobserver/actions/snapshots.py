"""Sets of released files of one workspace, each once (spec: airlock 6.1, 12.4, 12.15, 12.37)."""

from collections.abc import Iterable, Sequence

from sqlalchemy import insert, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from jobserver.actions.audit import id_of
from jobserver.models import ReleaseFile, Snapshot, SnapshotFile, User, Workspace
from jobserver.queries.publication import these
from jobserver.security import tokens
from jobserver.security.identity import Identity

MOST_NAMED = 20


class CannotPublish(Exception):
    """What was asked for cannot be done. The message is for whoever asked."""


def publishable(
    db: Session, workspace: Workspace, file_ids: Iterable[str], *, all_of_them: bool = False
) -> list[str]:
    """Ids of those of the files that have not been redacted.

    Raises :class:`CannotPublish` for files that the workspace does not have or that have not arrived, if
    nothing is left, and with ``all_of_them`` for redacted ones too, naming them.
    """
    wanted = list(dict.fromkeys(file_ids))
    columns = (ReleaseFile.id, ReleaseFile.name, ReleaseFile.uploaded_at, ReleaseFile.deleted_at)
    statement = select(*columns).where(these(workspace.id, wanted)).order_by(ReleaseFile.name, ReleaseFile.id)
    found = {row.id: row for row in db.execute(statement)}
    unknown = [each for each in wanted if each not in found]
    if unknown:
        raise CannotPublish(f"Unknown file IDs: {named(unknown)}")
    left = [row for row in found.values() if row.deleted_at is None]
    gone = [row.name for row in found.values() if row.deleted_at is not None]
    if gone and all_of_them:
        raise CannotPublish(f"Redacted: {named(gone)}. Leave them out.")
    if not left:
        raise CannotPublish(
            "No file is left to publish: choose at least one that has not been deleted."
            if found
            else "Choose at least one file to publish."
        )
    missing = [row.name for row in left if row.uploaded_at is None]
    if missing:
        raise CannotPublish(f"Not uploaded yet: {named(missing)}. Leave them out, or wait until they are.")
    return [row.id for row in left]


def snapshot_of(
    db: Session, workspace: Workspace, file_ids: Sequence[str], by: User | Identity
) -> tuple[Snapshot, bool]:
    """The snapshot of exactly these files, held until the transaction ends, and whether it was made now."""
    digest = digest_of(file_ids)
    known = (
        select(Snapshot)
        .where(Snapshot.workspace_id == workspace.id, Snapshot.digest == digest)
        .with_for_update(key_share=True)
    )
    make = (
        postgresql.insert(Snapshot)
        .values(workspace_id=workspace.id, digest=digest, created_by_id=id_of(by))
        .on_conflict_do_nothing(index_elements=[Snapshot.workspace_id, Snapshot.digest])
        .returning(Snapshot)
    )
    # Somebody else may make it between our looking and our making, or take files out of it.
    while True:
        if found := db.scalar(known.execution_options(populate_existing=True)):
            return found, False
        if made := db.scalar(make):
            _fill(db, made, file_ids)
            return made, True


def _fill(db: Session, snapshot: Snapshot, file_ids: Iterable[str]) -> None:
    place = {"snapshot_id": snapshot.id, "workspace_id": snapshot.workspace_id}
    db.execute(insert(SnapshotFile), [{**place, "release_file_id": each} for each in file_ids])


def digest_of(file_ids: Iterable[str]) -> str:
    """By which a workspace has each set of files once, whatever their order."""
    return tokens.digest("\n".join(sorted(file_ids)))


def named(things: Sequence[str]) -> str:
    """Some of them, and how many more."""
    more = len(things) - MOST_NAMED
    return ", ".join(things[:MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")
