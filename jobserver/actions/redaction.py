"""Redacting a released file: the row stays, the bytes go after the commit (spec: airlock 12.34)."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from jobserver import queue
from jobserver.actions import audit, naming
from jobserver.models import AuditType, ReleaseFile, User, Workspace, utcnow
from jobserver.queries.redactions import developers
from jobserver.security.identity import Identity

LONGEST_REASON = 1_000


class CannotRedact(Exception):
    """The file is not one that can be redacted."""


class AlreadyRedacted(CannotRedact):
    """Somebody else was quicker."""


class NeverUploaded(CannotRedact):
    """There are no bytes that could go."""


def redact(db: Session, file: ReleaseFile, by: User | Identity, reason: str) -> None:
    """Have nobody read the file from now on, its bytes removed and the project's developers told.

    Raises :class:`~jobserver.actions.naming.Malformed` for a reason that says nothing or too much,
    :class:`NeverUploaded` and :class:`AlreadyRedacted`.
    """
    reason = naming.trimmed("reason", reason, LONGEST_REASON)
    held = (
        select(ReleaseFile, Workspace)
        .join(Workspace, Workspace.id == ReleaseFile.workspace_id)
        .where(ReleaseFile.id == file.id)
        .with_for_update(of=ReleaseFile, key_share=True)
        .execution_options(populate_existing=True)
    )
    row, workspace = db.execute(held).one()
    if row.uploaded_at is None:
        raise NeverUploaded
    if row.deleted_at is not None:
        raise AlreadyRedacted
    row.deleted_at, row.deleted_by_id, row.deleted_reason = utcnow(), audit.id_of(by), reason
    audit.record(
        db,
        AuditType.RELEASE_FILE_DELETED,
        by=by,
        target=row,
        parent=workspace,
        reason=reason,
        at=row.deleted_at,
    )
    queue.defer(db, queue.Task.REMOVE_REDACTED_FILE, key=row.id, file_id=row.id)
    for user_id in developers(db, workspace.project_id):
        queue.defer(
            db,
            queue.Task.MAIL_FILE_REDACTED,
            key=f"{row.id}:{user_id}",
            user_id=user_id,
            file_id=row.id,
        )
