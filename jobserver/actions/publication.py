"""Making released files public: asked for, decided, taken back (spec: airlock 6, domain 3.17, 3.18, 13.39).

Nothing that was decided is written over: a wish is answered once, and another answer needs another wish.
Whoever changes where a snapshot stands holds its row, so that two never decide at once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, Text, any_, cast, delete, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from jobserver.actions.audit import Actor, id_of, listed, record
from jobserver.actions.publication_telling import tell_publishers, tell_requester
from jobserver.actions.snapshots import CannotPublish, digest_of, named, publishable, snapshot_of
from jobserver.actions.versions import check_version, version_of
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
from jobserver.security.identity import Identity


class AlreadyDecided(CannotPublish):
    """There is nothing to decide, or nothing left of what was to be decided."""


@dataclass(frozen=True)
class Prepared:
    """What became of a wish: the set of files, whether it is a new one, whether it was asked for now.

    ``kept_words``: the set has another title or summary than was given, and keeps it.
    """

    snapshot: Snapshot
    is_new: bool
    is_asked: bool
    is_published: bool
    kept_words: bool


def request_publication(
    db: Session, workspace: Workspace, file_ids: Iterable[str], by: User | Identity
) -> Snapshot:
    """Ask that these files of the workspace become public (spec: airlock 6.1, 12.4, 12.15, 12.36, 12.37).

    The same files are one snapshot, however often they are asked for. Redacted ones are left out. A wish that
    waits is kept, a published set stays as it is. Raises :class:`CannotPublish`.
    """
    return _ask(db, workspace, publishable(db, workspace, file_ids), by, "", "").snapshot


def prepare(
    db: Session,
    workspace: Workspace,
    file_ids: Iterable[str],
    by: User | Identity,
    *,
    title: str,
    summary: str = "",
) -> Prepared:
    """Ask for it with words of the author's; every file must be one that can be read.

    A set that is not public and has no title or no summary yet gets these. Raises :class:`CannotPublish`.
    """
    files = publishable(db, workspace, file_ids, all_of_them=True)
    return _ask(db, workspace, files, by, title, summary)


def ask_again(
    db: Session, snapshot: Snapshot, by: User | Identity, *, title: str, summary: str = ""
) -> Prepared:
    """Ask for a set once more, with these words, after it was refused or taken back.

    Without the files that were redacted since, which makes another set of it. Raises :class:`AlreadyDecided`
    for one that is public or waits.
    """
    _hold(db, snapshot)
    standing = releases.publication(db, snapshot.id)
    if standing.is_published or standing.is_pending:
        stands = "published" if standing.is_published else "waiting for a decision"
        raise AlreadyDecided(f"Snapshot {snapshot.id} is {stands} already.")
    workspace = db.get_one(Workspace, snapshot.workspace_id)
    members = select(SnapshotFile.release_file_id).where(SnapshotFile.snapshot_id == snapshot.id)
    files = publishable(db, workspace, db.scalars(members))
    return _ask(db, workspace, files, by, title, summary, over=snapshot)


def _ask(
    db: Session,
    workspace: Workspace,
    file_ids: list[str],
    by: User | Identity,
    title: str,
    summary: str,
    over: Snapshot | None = None,
) -> Prepared:
    """Have a wish for these files. The words of the snapshot ``over`` are written over."""
    snapshot, is_new = snapshot_of(db, workspace, file_ids, by)
    standing = releases.publication(db, snapshot.id)
    given = {"title": title, "summary": summary}
    changes = {}
    if not standing.is_published:
        writes_over = over is not None and over.id == snapshot.id
        changes = _set_words(snapshot, given, writes_over=writes_over)
    is_asked = not (standing.is_published or standing.is_pending)
    request = PublishRequest(snapshot_id=snapshot.id, created_by_id=id_of(by))
    if is_asked:
        db.add(request)
        db.flush()
    if is_new or (changes and not is_asked):
        number = _files(len(file_ids)) if is_new else ""
        _record(db, AuditType.SNAPSHOT_CREATED, snapshot, by, new=number, changes=changes)
    if is_asked:
        told = {} if is_new else changes
        _record(db, AuditType.PUBLISH_REQUEST_CREATED, snapshot, by, changes=told)
        tell_publishers(db, request, by_id=id_of(by))
    kept = any(words and words != getattr(snapshot, field) for field, words in given.items())
    return Prepared(snapshot, is_new, is_asked, standing.is_published, kept)


def _set_words(
    snapshot: Snapshot, given: Mapping[str, str], *, writes_over: bool
) -> dict[str, tuple[str, str]]:
    """What was changed: what is empty, or anything with ``writes_over``."""
    changes = {}
    for field, words in given.items():
        old = getattr(snapshot, field)
        if words != old and (writes_over or not old):
            setattr(snapshot, field, words)
            changes[field] = (old, words)
    return changes


def seen(snapshot: Snapshot) -> str:
    """What a decision is about: the files and the words. A form carries it to :func:`publish`."""
    return version_of(snapshot.digest, snapshot.title, snapshot.summary)


def publish(db: Session, snapshot: Snapshot, by: User | Identity, *, as_seen: str | None = None) -> bool:
    """Make the snapshot public (spec: airlock 6.3, 12.38); whether that changed anything.

    ``as_seen`` is :func:`seen` of what the person looked at. Raises :class:`AlreadyDecided` if nobody's wish
    waits, and :class:`~jobserver.actions.versions.ChangedMeanwhile` if it is no longer what they saw.
    """
    held = _hold(db, snapshot)
    if _request(db, snapshot, IN_FORCE) is not None:
        return False
    request = _pending(db, snapshot)
    if as_seen is not None:
        check_version(as_seen, *held)
    _decide(request, PublishDecision.APPROVED, by)
    _record(db, AuditType.SNAPSHOT_PUBLISHED, snapshot, by)
    tell_requester(db, request, PublishDecision.APPROVED, by_id=id_of(by))
    return True


def reject(db: Session, snapshot: Snapshot, by: User | Identity, reason: str) -> None:
    """Refuse to make the snapshot public; the reason is for those who asked."""
    _hold(db, snapshot)
    reason = reason.strip()
    if not reason:
        raise CannotPublish("Say why, so that it can be put right.")
    request = _pending(db, snapshot)
    _decide(request, PublishDecision.REJECTED, by, reason)
    _record(db, AuditType.PUBLISH_REQUEST_REJECTED, snapshot, by, reason=reason)
    tell_requester(db, request, PublishDecision.REJECTED, by_id=id_of(by))


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
    tell_requester(db, request, "unpublished", by_id=id_of(by))


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
        raise CannotPublish(f"Snapshot {snapshot.id} has no file {named(unknown)}.")
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


def _hold(db: Session, snapshot: Snapshot) -> tuple[str, str, str]:
    """Keep others from changing where the snapshot stands until the transaction ends; what it is now."""
    columns = select(Snapshot.digest, Snapshot.title, Snapshot.summary)
    held = db.execute(columns.where(Snapshot.id == snapshot.id).with_for_update(key_share=True))
    digest, title, summary = held.one()
    return digest, title, summary


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
    db: Session, type_: AuditType, snapshot: Snapshot, by: Actor | User | Identity, **words: Any
) -> None:
    place = db.get_one(Workspace, snapshot.workspace_id)
    record(db, type_, by=by, target=snapshot, parent=place, **words)


def _files(number: int) -> str:
    return f"{number:,} file{'' if number == 1 else 's'}"
