"""What operators do about a backend in trouble: stop new requests, tell people, cancel what goes on.

Each but an announcement is repeated harmlessly; one form makes that once. What they would touch is read by
:mod:`jobserver.queries.staff.operations`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from jobserver import queue
from jobserver.actions import cancelling, naming
from jobserver.actions.audit import Actor, record
from jobserver.actions.naming import Malformed
from jobserver.actions.site_alerts import LONGEST_MESSAGE
from jobserver.models import AlertLevel, AuditType, Backend, JobRequest, SiteAlert, User, utcnow
from jobserver.queries.staff import operations
from jobserver.security.identity import Identity

LONGEST_REASON = 500
# Requests whose cancellation one transaction asks for.
BATCH = 100


def pause(db: Session, backend: Backend, *, by: User | Identity, reason: str) -> bool:
    """Let nobody ask for jobs on the backend, and tell people why; False if it was so already.

    Another reason replaces the one that was given. What was asked for goes on. Raises
    :class:`~jobserver.actions.naming.Malformed` for a reason that says nothing or too much.
    """
    reason = naming.trimmed("reason", reason, LONGEST_REASON)
    hold(db, backend)
    was = backend.creation_pause_reason if backend.creation_paused_at else None
    if was == reason:
        return False
    backend.creation_paused_at = backend.creation_paused_at or utcnow()
    backend.creation_paused_by_id = Actor.of(by).user_id
    backend.creation_pause_reason = reason
    backend.updated_at = utcnow()
    changes = {"creation_pause_reason": (was, reason)}
    record(
        db, AuditType.BACKEND_PAUSED, by=by, target=backend, parent=backend, changes=changes, reason=reason
    )
    return True


def resume(db: Session, backend: Backend, *, by: User | Identity, reason: str = "") -> bool:
    """Let people ask for jobs on the backend again; False if they could."""
    hold(db, backend)
    if backend.creation_paused_at is None:
        return False
    changes = {"creation_pause_reason": (backend.creation_pause_reason, None)}
    backend.creation_paused_at = backend.creation_paused_by_id = None
    backend.creation_pause_reason = ""
    backend.updated_at = utcnow()
    record(
        db, AuditType.BACKEND_RESUMED, by=by, target=backend, parent=backend, changes=changes, reason=reason
    )
    return True


def hold(db: Session, backend: Backend) -> None:
    """Let nobody else operate the backend until the end of the transaction, and read it anew."""
    db.flush()
    db.refresh(backend, with_for_update=True)


@dataclass(frozen=True)
class Announcement:
    """What people are to be told about a backend, in Markdown; until ``ends_at``, if that is set."""

    title: str
    message: str
    level: AlertLevel = AlertLevel.WARNING
    ends_at: datetime | None = None


def announce(
    db: Session, backend: Backend, what: Announcement, *, by: User | Identity, mail_to: Iterable[int] = ()
) -> SiteAlert:
    """Make a site alert, and have it mailed to the users of these ids; those without a mail are the caller's.

    Each call makes another: a form that may be sent twice holds the backend first (:func:`hold`), and is
    refused if somebody has said something since.
    Raises :class:`~jobserver.actions.naming.Malformed`.
    """
    message = what.message.strip()
    if not message or len(message) > LONGEST_MESSAGE:
        raise Malformed("message", f"needs 1 to {LONGEST_MESSAGE:,} characters")
    now = utcnow()
    if what.ends_at is not None and what.ends_at <= now:
        raise Malformed("end", "must be in the future")
    actor = Actor.of(by)
    alert = SiteAlert(
        title=naming.trimmed("title", what.title),
        message=message,
        level=what.level,
        ends_at=what.ends_at,
        created_at=now,
        created_by_id=actor.user_id,
        updated_at=now,
        updated_by_id=actor.user_id,
    )
    db.add(alert)
    db.flush()
    said = {"title": (None, alert.title), "message": (None, message), "level": (None, str(what.level))}
    record(db, AuditType.SITE_ALERT_CREATED, by=by, target=alert, parent=backend, changes=said)
    recipients = sorted(set(mail_to))
    for user_id in recipients:
        queue.defer(
            db,
            queue.Task.MAIL_ANNOUNCEMENT,
            key=f"{alert.id}:{user_id}",
            user_id=user_id,
            alert_id=alert.id,
            backend_id=backend.id,
        )
    if recipients:
        sent = {"mails": (None, len(recipients))}
        record(db, AuditType.ANNOUNCEMENT_MAILED, by=by, target=alert, parent=backend, changes=sent)
    return alert


@dataclass(frozen=True)
class Cancelled:
    """What was asked to be cancelled: ids of requests, and the number of jobs."""

    requests: Sequence[int]
    jobs: int


def cancel_all(
    db: Session, backend: Backend, ids: Iterable[int], *, by: User | Identity, reason: str = ""
) -> Cancelled:
    """Have whatever goes on of these requests cancelled, as far as they are on the backend.

    The cancellations are asked for by tasks, a batch at a time. Requests that have ended, or were cancelled,
    are left alone; without any other nothing is recorded.
    """
    found = operations.cancellable(db, backend.id, set(ids))
    touched = [each.id for each in found]
    cancelled = Cancelled(touched, sum(each.jobs for each in found))
    if not touched:
        return cancelled
    for begin in range(0, len(touched), BATCH):
        queue.defer(
            db,
            queue.Task.CANCEL_REQUESTS,
            backend_id=backend.id,
            request_ids=touched[begin : begin + BATCH],
            user_id=Actor.of(by).user_id,
        )
    record(
        db,
        AuditType.BACKEND_CANCELLED_ALL,
        by=by,
        target=backend,
        parent=backend,
        new=",".join(map(str, touched)),
        changes={"requests": (None, len(touched)), "jobs": (None, cancelled.jobs)},
        reason=reason,
    )
    return cancelled


def cancel_batch(db: Session, backend_id: int, request_ids: Iterable[int], *, by: User | Identity) -> int:
    """Ask for the cancellation of these requests of a backend; returns of how many it could be asked for."""
    here = select(JobRequest).where(JobRequest.id.in_(request_ids), JobRequest.backend_id == backend_id)
    asked = 0
    for job_request in db.scalars(here.order_by(JobRequest.id)):
        try:
            cancelling.ask(db, job_request, by)
        except cancelling.CannotCancel:
            continue
        asked += 1
    return asked
