"""Telling the controller to stop jobs, once, and only jobs that are still going on."""

from dataclasses import dataclass
from enum import StrEnum

import structlog
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from jobserver import locks
from jobserver.actions import job_status
from jobserver.clients.rap import RapNotConfigured, RapRefused, RapUnauthorised, RapUnavailable, StatusReport
from jobserver.models import Cancellation, Job, JobRequest, JobState, utcnow
from jobserver.queries.active_requests import Asked
from jobserver.rap.context import Context
from jobserver.rap.sync import store_answer

log = structlog.get_logger(__name__)

NOT_KNOWN = "The RAP controller does not know this request."


class Outcome(StrEnum):
    """What became of one attempt."""

    SENT = "sent"
    REFUSED = "refused"
    UNKNOWN = "unknown"  # no usable answer: to be repeated
    BUSY = "busy"  # somebody else is at it
    DONE = "done"  # it was sent or refused before


@dataclass(frozen=True)
class _Open:
    """A cancellation that the controller has not got."""

    id: int
    request: Asked
    actions: frozenset[str]


def send(context: Context, cancellation_id: int) -> Outcome:
    """Pass a cancellation on, and record what the controller said (spec: rap 1.4, 5 and 11).

    May be called at any time, any number of times. The controller is asked for the latest status first:
    cancelling a job that has ended would make it forget the job's result.
    """
    with context.alone(locks.CANCELLATION, cancellation_id) as alone:
        if not alone:
            return Outcome.BUSY
        with context.transaction() as db:
            wish = _open(db, cancellation_id)
        if wish is None:
            return Outcome.DONE
        with structlog.contextvars.bound_contextvars(function="cancel", rap_id=wish.request.identifier):
            try:
                return _send(context, wish)
            except (RapUnauthorised, RapNotConfigured) as error:
                log.error("rap_cancel_not_allowed", reason=str(error))  # noqa: TRY400
            except RapUnavailable as error:
                log.warning("rap_cancel_unavailable", reason=error.reason)
            return Outcome.UNKNOWN


def _open(db: Session, cancellation_id: int) -> _Open | None:
    row = db.execute(
        select(Cancellation.actions, JobRequest.id, JobRequest.identifier)
        .join(JobRequest, JobRequest.id == Cancellation.job_request_id)
        .where(
            Cancellation.id == cancellation_id,
            Cancellation.sent_at.is_(None),
            Cancellation.refusal.is_(None),
        )
    ).one_or_none()
    if row is None:
        return None
    return _Open(cancellation_id, Asked(row.id, row.identifier), frozenset(row.actions))


def _send(context: Context, wish: _Open) -> Outcome:
    try:
        report = context.clients.rap.status([wish.request.identifier])
        synced = store_answer(context, [wish.request], report)
        if synced.unrecognised:
            return _refused(context, wish, NOT_KNOWN)
        with context.transaction() as db:
            going_on, cancelled = _states(db, wish)
        going_on = [action for action in going_on if action not in _ended(report)]
        if going_on:
            log.info("rap_cancelling", actions_to_cancel=_shortened(going_on), number=len(going_on))
            context.clients.rap.cancel(wish.request.identifier, going_on)
    except RapRefused as error:
        log.warning("rap_cancel_refused", status=error.status, details=error.details)
        return _refused(context, wish, error.details)
    with context.transaction() as db:
        # Had we died after the controller said yes, the jobs would be cancelled by now.
        if _close(db, wish, sent_at=utcnow(), sent_actions=sorted({*going_on, *cancelled})):
            newer = update(JobRequest).where(JobRequest.id == wish.request.id)
            db.execute(newer.values(version=JobRequest.version + 1))
    return Outcome.SENT


def _states(db: Session, wish: _Open) -> tuple[list[str], list[str]]:
    """Of the actions that are to be cancelled: those still going on, and those cancelled already."""
    rows = db.execute(
        select(Job.action, Job.state, Job.completed_at).where(
            Job.job_request_id == wish.request.id, Job.action.in_(wish.actions)
        )
    ).all()
    going_on = {
        action
        for action, state, completed_at in rows
        if state in {JobState.PENDING, JobState.RUNNING}
        or (state == JobState.UNKNOWN and completed_at is None)
    }
    cancelled = {action for action, state, _ in rows if state == JobState.CANCELLED}
    return sorted(going_on), sorted(cancelled - going_on)


def _ended(report: StatusReport) -> set[str | None]:
    """Actions whose jobs have ended by the controller's own words, stored or not."""
    return {
        job.action
        for job in report.jobs
        if job_status.state_of(job.status or "", job.status_code or "") in job_status.FINAL_STATES
    }


def _close(db: Session, wish: _Open, **values: object) -> bool:
    closed = db.execute(
        update(Cancellation)
        .where(Cancellation.id == wish.id, Cancellation.sent_at.is_(None), Cancellation.refusal.is_(None))
        .values(**values)
        .returning(Cancellation.id)
    ).scalar()
    return closed is not None


_TAKE_OUT = text("""
UPDATE job_request SET version = version + 1, cancelled_actions = ARRAY(
    SELECT action FROM unnest(cancelled_actions) WITH ORDINALITY AS listed(action, place)
    WHERE action <> ALL (CAST(:actions AS text[])) ORDER BY place)
WHERE id = :id
""")


def _refused(context: Context, wish: _Open, reason: str) -> Outcome:
    """The controller said no: the actions count as not cancelled, so that they can be asked for again."""
    with context.transaction() as db:
        job_status.lock(db, [wish.request.id])
        if _close(db, wish, refusal=reason):
            db.execute(_TAKE_OUT, {"actions": sorted(wish.actions), "id": wish.request.id})
    return Outcome.REFUSED


def _shortened(actions: list[str]) -> list[str]:
    return actions[:10]
