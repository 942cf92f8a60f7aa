"""Asking for jobs to be stopped: the wish is recorded; a background task tells the controller."""

from collections.abc import Iterable

from sqlalchemy import select, text
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from jobserver import queue
from jobserver.actions import job_status
from jobserver.actions.audit import Actor, listed, record
from jobserver.models import (
    ACTIVE_STATUSES,
    AuditType,
    Cancellation,
    Job,
    JobRequest,
    User,
    Workspace,
    utcnow,
)
from jobserver.security.identity import Identity


class CannotCancel(Exception):
    """Nothing was cancelled; the text is a sentence for the person who asked."""


class NothingKnownYet(CannotCancel):
    """The controller has not told of any job of this request yet."""


class NothingToCancel(CannotCancel):
    """What was to be cancelled has ended, or its cancellation was asked for already."""


# A union of sets in one statement, so that no other cancellation is lost (spec: domain 13.11).
_ADD = text("""
UPDATE job_request SET version = version + 1, cancelled_actions = cancelled_actions || ARRAY(
    SELECT action FROM unnest(CAST(:actions AS text[])) AS action WHERE action <> ALL (cancelled_actions))
WHERE id = :id RETURNING cancelled_actions, version
""")


def ask(
    db: Session, job_request: JobRequest, by: Identity | User, actions: Iterable[str] | None = None
) -> Cancellation:
    """Have active jobs of a request stopped: all of them, or those of the given actions (spec: rap 5, 11).

    What was asked for before is not asked for again. Whether the person may cancel is the caller's to
    check. Raises :class:`NothingKnownYet` or :class:`NothingToCancel`.
    """
    job_status.lock(db, [job_request.id])
    target = _target(db, job_request, None if actions is None else set(actions))
    _add(db, job_request, target)
    cancellation = Cancellation(
        job_request_id=job_request.id,
        actions=target,
        created_at=utcnow(),
        created_by_id=Actor.of(by).user_id,
    )
    db.add(cancellation)
    db.flush()
    record(
        db,
        AuditType.JOB_REQUEST_CANCELLED,
        by=by,
        target=job_request,
        parent=db.get_one(Workspace, job_request.workspace_id),
        new=listed(target),
        at=cancellation.created_at,
    )
    queue.defer(db, queue.Task.SEND_CANCELLATION, cancellation_id=cancellation.id)
    return cancellation


def _target(db: Session, job_request: JobRequest, wanted: set[str] | None) -> list[str]:
    jobs = db.execute(
        select(Job.action, Job.state, Job.completed_at).where(Job.job_request_id == job_request.id)
    ).all()
    status, asked_before = db.execute(
        select(JobRequest.status, JobRequest.cancelled_actions).where(JobRequest.id == job_request.id)
    ).one()
    if not jobs and status in ACTIVE_STATUSES:
        raise NothingKnownYet("The controller has not reported any job yet. Try again in a minute.")
    active = {
        action
        for action, state, completed_at in jobs
        if state in {"pending", "running"} or (state == "unknown" and completed_at is None)
    }
    if wanted is not None:
        active &= wanted
    if not active:
        raise NothingToCancel("There is nothing to cancel: the jobs have ended.")
    target = sorted(active - set(asked_before))
    if not target:
        raise NothingToCancel("The cancellation was asked for already.")
    return target


def _add(db: Session, job_request: JobRequest, target: list[str]) -> None:
    cancelled, version = db.execute(_ADD, {"actions": target, "id": job_request.id}).one()
    # The object shows what the row holds now, and nothing is left to be written for it.
    set_committed_value(job_request, "cancelled_actions", cancelled)
    set_committed_value(job_request, "version", version)
