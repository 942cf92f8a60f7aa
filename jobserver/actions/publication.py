"""Making released files public: asked for, decided, taken back (spec: airlock 6, domain 3.17, 3.18, 13.39).

Nothing that was decided is written over: a wish is answered once, and another answer needs another wish.
Whoever changes where a snapshot stands holds its row, so that two never decide at once.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import ARRAY, Text, any_, cast, delete, insert, select, text, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from jobserver.actions.audit import Actor, id_of, listed, record
from jobserver.models import (
    AuditType,
    PublishDecision,
    PublishRequest,
    ReleaseFile,
    Snapshot,
    SnapshotFile,
    User,
    Workspace,
    utcnow,
)
from jobserver.models.publication import IN_FORCE, PENDING
from jobserver.queries import releases
from jobserver.security import tokens
from jobserver.security.identity import Identity

MOST_NAMED = 20


class CannotPublish(Exception):
    """What was asked for cannot be done. The message is for whoever asked."""


class AlreadyDecided(CannotPublish):
    """There is nothing to decide, or nothing left of what was to be decided."""


def request_publication(
    db: Session, workspace: Workspace, file_ids: Iterable[str], by: User | Identity
) -> Snapshot:
    """Ask that these files of the workspace become public (spec: airlock 6.1, 12.4, 12.15, 12.36, 12.37).

    The same files are one snapshot, however often they are asked for. Redacted ones are left out. A wish that
    waits is kept, a published set stays as it is. Raises :class:`CannotPublish`.
    """
    snapshot = _snapshot_of(db, workspace, _publishable(db, workspace, file_ids), by)
    standing = releases.publication(db, snapshot.id)
    if not (standing.is_published or standing.is_pending):
        db.add(PublishRequest(snapshot_id=snapshot.id, created_by_id=id_of(by)))
        _record(db, AuditType.PUBLISH_REQUEST_CREATED, snapshot, by)
    return snapshot


def _publishable(db: Session, workspace: Workspace, file_ids: Iterable[str]) -> list[str]:
    """Ids of those of the files that have not been redacted."""
    wanted = list(dict.fromkeys(file_ids))
    columns = (ReleaseFile.id, ReleaseFile.name, ReleaseFile.uploaded_at, ReleaseFile.deleted_at)
    statement = (
        select(*columns)
        .where(ReleaseFile.workspace_id == workspace.id, ReleaseFile.id == any_(cast(wanted, ARRAY(Text))))
        .order_by(ReleaseFile.name, ReleaseFile.id)
    )
    found = {row.id: row for row in db.execute(statement)}
    unknown = [each for each in wanted if each not in found]
    if unknown:
        raise CannotPublish(f"Unknown file IDs: {_named(unknown)}")
    left = [row for row in found.values() if row.deleted_at is None]
    if not left:
        raise CannotPublish(
            "No file is left to publish: choose at least one that has not been deleted."
            if found
            else "Choose at least one file to publish."
        )
    missing = [row.name for row in left if row.uploaded_at is None]
    if missing:
        raise CannotPublish(f"Not uploaded yet: {_named(missing)}. Leave them out, or wait until they are.")
    return [row.id for row in left]


def _snapshot_of(db: Session, workspace: Workspace, file_ids: Sequence[str], by: User | Identity) -> Snapshot:
    """The snapshot of exactly these files, held until the transaction ends; made if there is none."""
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
    while (snapshot := db.scalar(known)) is None:
        snapshot = db.scalar(make)
        if snapshot is not None:
            _fill(db, snapshot, file_ids)
            _record(db, AuditType.SNAPSHOT_CREATED, snapshot, by, new=_files(len(file_ids)))
            break
    return snapshot


def _fill(db: Session, snapshot: Snapshot, file_ids: Iterable[str]) -> None:
    place = {"snapshot_id": snapshot.id, "workspace_id": snapshot.workspace_id}
    db.execute(insert(SnapshotFile), [{**place, "release_file_id": each} for each in file_ids])


def digest_of(file_ids: Iterable[str]) -> str:
    """By which a workspace has each set of files once, whatever their order."""
    return tokens.digest("\n".join(sorted(file_ids)))


def publish(db: Session, snapshot: Snapshot, by: User | Identity) -> bool:
    """Make the snapshot public (spec: airlock 6.3, 12.38); whether that changed anything.

    Raises :class:`AlreadyDecided` if nobody's wish waits.
    """
    _hold(db, snapshot)
    if _request(db, snapshot, IN_FORCE) is not None:
        return False
    _decide(_pending(db, snapshot), PublishDecision.APPROVED, by)
    _record(db, AuditType.SNAPSHOT_PUBLISHED, snapshot, by)
    return True


def reject(db: Session, snapshot: Snapshot, by: User | Identity, reason: str) -> None:
    """Refuse to make the snapshot public; the reason is for those who asked."""
    _hold(db, snapshot)
    reason = reason.strip()
    if not reason:
        raise CannotPublish("Say why, so that it can be put right.")
    _decide(_pending(db, snapshot), PublishDecision.REJECTED, by, reason)
    _record(db, AuditType.PUBLISH_REQUEST_REJECTED, snapshot, by, reason=reason)


def withdraw(db: Session, snapshot: Snapshot, by: User | Identity) -> None:
    """Take the wish back, which only whoever had it can."""
    _hold(db, snapshot)
    request = _pending(db, snapshot)
    if request.created_by_id != id_of(by):
        raise CannotPublish("Only whoever asked for the publication can withdraw it.")
    _decide(request, PublishDecision.WITHDRAWN, by)
    _record(db, AuditType.PUBLISH_REQUEST_WITHDRAWN, snapshot, by)


def unpublish(db: Session, snapshot: Snapshot, by: User | Identity, reason: str = "") -> None:
    """Have the snapshot be public no longer; that it was so, and by whom, stays (spec: airlock 6.4)."""
    _hold(db, snapshot)
    request = _request(db, snapshot, IN_FORCE)
    if request is None:
        raise AlreadyDecided(f"Snapshot {snapshot.id} is not published.")
    request.unpublished_at, request.unpublished_by_id = utcnow(), id_of(by)
    request.unpublished_reason = reason.strip()
    _record(db, AuditType.SNAPSHOT_UNPUBLISHED, snapshot, by, reason=request.unpublished_reason)


def remove_files(db: Session, snapshot: Snapshot, names: Iterable[str], by: Actor | User | Identity) -> int:
    """Take the files of these names out of a draft (spec: domain 13.45); how many there were.

    Raises :class:`CannotPublish` for a published snapshot, for a name that it does not have, and if what
    would be left is another snapshot of the workspace, or nothing.
    """
    _hold(db, snapshot)
    if _request(db, snapshot, IN_FORCE) is not None:
        raise CannotPublish(f"Snapshot {snapshot.id} is published: unpublish it first.")
    member = SnapshotFile.release_file_id == ReleaseFile.id
    statement = select(ReleaseFile.id, ReleaseFile.name).join(SnapshotFile, member)
    files = db.execute(statement.where(SnapshotFile.snapshot_id == snapshot.id)).all()
    wanted = set(names)
    unknown = sorted(wanted - {row.name for row in files})
    if unknown:
        raise CannotPublish(f"Snapshot {snapshot.id} has no file {_named(unknown)}.")
    removed = [row.id for row in files if row.name in wanted]
    kept = [row.id for row in files if row.name not in wanted]
    if not kept:
        raise CannotPublish(f"Snapshot {snapshot.id} has no other files: withdraw the request instead.")
    _set_digest(db, snapshot, digest_of(kept))
    db.execute(
        delete(SnapshotFile).where(
            SnapshotFile.snapshot_id == snapshot.id,
            SnapshotFile.release_file_id == any_(cast(removed, ARRAY(Text))),
        )
    )
    _record(db, AuditType.SNAPSHOT_FILES_REMOVED, snapshot, by, old=listed(wanted))
    return len(removed)


def _set_digest(db: Session, snapshot: Snapshot, digest: str) -> None:
    try:
        with db.begin_nested():
            db.execute(update(Snapshot).where(Snapshot.id == snapshot.id).values(digest=digest))
    except IntegrityError as error:
        same = (Snapshot.workspace_id == snapshot.workspace_id) & (Snapshot.digest == digest)
        twin = db.scalar(select(Snapshot.id).where(same))
        raise CannotPublish(
            f"Snapshot {twin} has exactly the files that would be left: publish that one."
        ) from error


def _hold(db: Session, snapshot: Snapshot) -> None:
    """Keep others from changing where the snapshot stands until the transaction ends."""
    db.execute(select(Snapshot.id).where(Snapshot.id == snapshot.id).with_for_update(key_share=True))


def _request(db: Session, snapshot: Snapshot, standing: str) -> PublishRequest | None:
    """The snapshot's one request that stands so, as it is now."""
    statement = select(PublishRequest).where(PublishRequest.snapshot_id == snapshot.id, text(standing))
    return db.scalar(statement.execution_options(populate_existing=True))


def _pending(db: Session, snapshot: Snapshot) -> PublishRequest:
    request = _request(db, snapshot, PENDING)
    if request is None:
        raise AlreadyDecided(
            f"Nobody's request to publish snapshot {snapshot.id} waits for a decision: ask for it again."
        )
    return request


def _decide(
    request: PublishRequest, decision: PublishDecision, by: User | Identity, reason: str = ""
) -> None:
    request.decision, request.decision_at = decision, utcnow()
    request.decision_by_id, request.decision_reason = id_of(by), reason


def _record(
    db: Session,
    type_: AuditType,
    snapshot: Snapshot,
    by: Actor | User | Identity,
    old: str = "",
    new: str = "",
    reason: str = "",
) -> None:
    workspace = db.get_one(Workspace, snapshot.workspace_id)
    record(db, type_, by=by, target=snapshot, parent=workspace, old=old, new=new, reason=reason)


def _files(number: int) -> str:
    return f"{number:,} file{'' if number == 1 else 's'}"


def _named(things: Sequence[str]) -> str:
    more = len(things) - MOST_NAMED
    return ", ".join(things[:MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")
