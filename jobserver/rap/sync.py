"""Storing one answer of the controller about many requests; what is wrong with one spoils no other."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import case, func, literal, select, update
from sqlalchemy.exc import DBAPIError

from jobserver.actions import happenings
from jobserver.clients.rap import JobReport, StatusReport
from jobserver.models import HappeningKind, JobRequest, JobRequestStatus, utcnow
from jobserver.queries.active_requests import Asked
from jobserver.rap.context import Context
from jobserver.rap.store import Reported, Stored, Unstorable, is_news, known_jobs, missing_jobs, store

log = structlog.get_logger(__name__)

# So many requests, or jobs, are stored in one transaction.
REQUESTS_AT_ONCE = 100
JOBS_AT_ONCE = 2000

# A request that the controller once accepted, and of which it has no job, has failed after so long
# and so many answers that do not know it (spec: rap 11).
GRACE = timedelta(minutes=5)
GRACE_POLLS = 2
NOT_KNOWN = (
    "The RAP controller does not know this request and has made no jobs for it. Run the actions again."
)


@dataclass
class Synced:
    """What an answer led to."""

    stored: Stored = field(default_factory=Stored)
    unrecognised: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def add(self, other: "Synced") -> None:
        """Count the other's as well."""
        self.stored.add(other.stored)
        self.unrecognised += other.unrecognised
        self.failed += other.failed
        self.faults += other.faults


def store_answer(context: Context, asked: Sequence[Asked], report: StatusReport) -> Synced:
    """Store what the controller answered about these requests (spec: rap 4.2 to 4.4 and 11)."""
    synced = Synced()
    for fault in report.faults:
        _note(synced, f"{fault.subject} in the answer cannot be read: {fault.reason}")
    reported = _reported(asked, report)
    unrecognised = {each.identifier: each.id for each in asked if each.identifier in set(report.unrecognised)}
    now = utcnow()
    with context.transaction() as db:
        known = known_jobs(db, [each.id for each in asked])
        strange = [Reported(id_, identifier, ()) for identifier, id_ in unrecognised.items() if id_ in known]
        reported = [each for each in reported + strange if not _hides_a_job(each, report, known)]
        news = [each for each in reported if is_news(each, known, now)]
        missing = {each.id: names for each in reported if (names := missing_jobs(each, known))}
    for id_, identifiers in missing.items():
        log.error("rap_jobs_missing", job_request=id_, identifiers=identifiers)
        synced.stored.missing += identifiers
    for group in _groups(news):
        _store_group(context, group, now, synced)
    if unrecognised:
        synced.unrecognised = sorted(unrecognised)
        log.warning("rap_unrecognised", rap_ids=synced.unrecognised)
        without_jobs = [id_ for id_ in unrecognised.values() if id_ not in known]
        synced.failed = _not_known(context, without_jobs, now)
    return synced


def _reported(asked: Sequence[Asked], report: StatusReport) -> list[Reported]:
    """The jobs by request, in the order of asking. Requests of which nothing is said are left out."""
    by_rap: dict[str, list[JobReport]] = defaultdict(list)
    for job in report.jobs:
        by_rap[job.rap_id].append(job)
    unreadable = frozenset(fault.subject for fault in report.faults)
    found = [
        Reported(each.id, each.identifier, tuple(by_rap.pop(each.identifier)), unreadable)
        for each in asked
        if each.identifier in by_rap
    ]
    if by_rap:
        log.warning("rap_not_asked_for", rap_ids=sorted(by_rap))
    return found


def _hides_a_job(reported: Reported, report: StatusReport, known: Mapping[int, Mapping[str, Any]]) -> bool:
    """Whether a job of the request that we have never seen cannot be read: it might end without it."""
    return any(
        fault.rap_id == reported.identifier and fault.subject not in known.get(reported.id, {})
        for fault in report.faults
    )


def _groups(news: list[Reported]) -> list[list[Reported]]:
    groups: list[list[Reported]] = []
    jobs = 0
    for reported in news:
        if not groups or len(groups[-1]) == REQUESTS_AT_ONCE or jobs + len(reported.jobs) > JOBS_AT_ONCE:
            groups.append([])
            jobs = 0
        groups[-1].append(reported)
        jobs += len(reported.jobs)
    return groups


def _store_group(context: Context, group: list[Reported], now: datetime, synced: Synced) -> None:
    """Store a group in one transaction; if that fails, its halves, until the one at fault is alone."""
    try:
        with context.transaction() as db:
            stored = store(db, group, now)
    except Exception as error:
        if _database_is_gone(error):
            raise
        if len(group) > 1:
            half = len(group) // 2
            _store_group(context, group[:half], now, synced)
            _store_group(context, group[half:], now, synced)
            return
        reason = str(error) if isinstance(error, Unstorable) else type(error).__name__
        log.exception("rap_request_not_stored", job_request=group[0].id, rap_id=group[0].identifier)
        _note(synced, f"{group[0].identifier} was not stored: {reason}", logged=True)
        return
    # What is missing was noted for all requests, with news or without.
    stored.missing = []
    synced.stored.add(stored)


def _database_is_gone(error: Exception) -> bool:
    """Whether the connection failed, rather than what was sent over it."""
    if not isinstance(error, DBAPIError):
        return False
    state = getattr(error.orig, "sqlstate", None)
    return error.connection_invalidated or state is None or state.startswith(("08", "57P"))


def _note(synced: Synced, fault: str, *, logged: bool = False) -> None:
    synced.faults.append(fault)
    if not logged:
        log.error("rap_answer_fault", fault=fault)


def _not_known(context: Context, ids: list[int], now: datetime) -> list[str]:
    """Count the answers that do not know these requests; fail those whose time of grace is over.

    Those that the controller has not accepted yet are left alone: they are sent again. Nothing is
    written about a request that has failed already.
    """
    request = JobRequest
    waiting = (
        request.id.in_(ids),
        request.settled_at.is_not(None),
        request.status.not_in((JobRequestStatus.FAILED, JobRequestStatus.NOTHING_TO_DO)),
    )
    over = (request.created_at <= now - GRACE) & (request.unrecognised_polls + 1 >= GRACE_POLLS)
    with context.transaction() as db:
        locked = select(request.id).where(*waiting).order_by(request.id).with_for_update(key_share=True)
        if not db.scalars(locked).all():
            return []
        rows = db.execute(
            update(request)
            .where(*waiting)
            .values(
                unrecognised_since=func.coalesce(request.unrecognised_since, literal(now)),
                unrecognised_polls=request.unrecognised_polls + 1,
                status=case((over, JobRequestStatus.FAILED.value), else_=request.status),
                status_message=case((over, NOT_KNOWN), else_=request.status_message),
                version=request.version + case((over, 1), else_=0),
            )
            .returning(request.id, request.identifier, request.status)
        ).all()
        gone = [row for row in rows if row.status == JobRequestStatus.FAILED]
        happenings.note_all(db, [row.id for row in gone], HappeningKind.REFUSED, now, NOT_KNOWN)
    failed = sorted(row.identifier for row in gone)
    if failed:
        log.info("rap_set_to_failed", rap_ids=failed)
    return failed
