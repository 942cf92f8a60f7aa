"""What the page of a job request shows (spec: pages 11, rap 9)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import ColumnElement, DateTime, and_, case, cast, func, null, or_, select
from sqlalchemy.orm import Session

from jobserver.models import Job, JobRequest, JobRequestStatus, JobState
from jobserver.templating.states import State, state_of

# Up to so many jobs stand on one page, in the order in which they started (design: large requests).
ALL_ON_ONE_PAGE = 200
PAGE = 100
STALE_AFTER = timedelta(minutes=30)
CREATION_ERROR = "__error__"

Phase = Literal["asking", "no_answer", "refused", "nothing_to_do", "accepted", "jobs", "no_jobs"]


@dataclass(frozen=True)
class JobRow:
    """One job in a list."""

    id: int
    identifier: str
    action: str
    status: str
    status_code: str
    status_message: str
    state: str
    created_at: datetime
    updated_at: datetime | None
    started_at: datetime | None
    completed_at: datetime | None

    @property
    def is_active(self) -> bool:
        """Whether the job may still move."""
        return self.state in {"pending", "running"} or (self.state == "unknown" and not self.completed_at)

    @property
    def shown(self) -> State:
        """The state as pages show it."""
        return state_of(self.status, self.status_code)

    @property
    def ended_at(self) -> datetime | None:
        """When it ended; the controller may set a time before the job has ended (spec: rap 1.4)."""
        return None if self.is_active else self.completed_at

    def took(self, now: datetime) -> timedelta | None:
        """How long it has run, never less than nothing; None if it never started."""
        until = now if self.is_active else self.completed_at
        if self.started_at is None or until is None:
            return None
        return max(until - self.started_at, timedelta())


COLUMNS = tuple(getattr(Job, name) for name in JobRow.__dataclass_fields__)
ACTIVE: ColumnElement[bool] = or_(
    Job.state.in_(("pending", "running")), and_(Job.state == "unknown", Job.completed_at.is_(None))
)
_URGENCY = case(
    {"failed": 0, "unknown": 1, "running": 2, "pending": 3, "cancelled": 4}, value=Job.state, else_=5
)


def is_followed(job_request: JobRequest) -> bool:
    """Whether there may still be news: not if all jobs ended in words that we do not know."""
    return job_request.is_active and job_request.completed_at is None


def phase(job_request: JobRequest) -> Phase:
    """How far the asking has come; ``jobs`` once the controller has told of any."""
    if job_request.jobs_total:
        return "jobs"
    if job_request.status == JobRequestStatus.FAILED:
        return "refused"
    if job_request.status == JobRequestStatus.NOTHING_TO_DO:
        return "nothing_to_do"
    if not job_request.is_active:
        return "no_jobs"
    if job_request.status == JobRequestStatus.UNKNOWN_ERROR_CREATING_JOBS:
        return "no_answer"
    if job_request.settled_at is None and job_request.status == JobRequestStatus.UNKNOWN:
        return "no_answer" if job_request.submit_attempts > 1 else "asking"
    return "accepted"


def shown_state(job_request: JobRequest) -> State:
    """The request's state as pages show it: cancelled if nothing else made it fail."""
    return state_of(job_request.status, only_cancelled=job_request.only_cancelled)


def counts(job_request: JobRequest) -> dict[str, int]:
    """Jobs by state, as kept on the request's row."""
    return {state.value: int(getattr(job_request, f"jobs_{state}")) for state in JobState}


def silence(job_request: JobRequest, now: datetime) -> timedelta | None:
    """How long nothing was heard of active jobs, if that is too long (spec: rap 6.4)."""
    heard = job_request.jobs_updated_at
    if not is_followed(job_request) or heard is None or now - heard <= STALE_AFTER:
        return None
    return now - heard


def jobs(
    db: Session, job_request_id: int, *, state: str | None, by_urgency: bool, limit: int, offset: int = 0
) -> list[JobRow]:
    """Jobs in the order in which they started, those not started last; or what matters most first."""
    order = [Job.started_at.asc().nulls_last(), Job.created_at, Job.id]
    statement = select(*COLUMNS).where(Job.job_request_id == job_request_id)
    if state is not None:
        statement = statement.where(Job.state == state)
    ordered = statement.order_by(*([_URGENCY] if by_urgency else []), *order)
    return [JobRow(*row) for row in db.execute(ordered.limit(limit).offset(offset))]


def every_job(db: Session, job_request_id: int) -> list[JobRow]:
    """All jobs of a request, in the order in which they started, as far as a whole picture needs them.

    Of messages, which may be long, only those of failures; and not when the jobs were last heard of.
    """
    messages = case((Job.state == "failed", Job.status_message), else_="")
    left_out = {"status_message": messages, "updated_at": cast(null(), DateTime(timezone=True))}
    columns = [left_out.get(column.key, column) for column in COLUMNS]
    statement = (
        select(*columns)
        .where(Job.job_request_id == job_request_id)
        .order_by(Job.started_at.asc().nulls_last(), Job.created_at, Job.id)
    )
    return [JobRow(*row) for row in db.execute(statement)]


@dataclass(frozen=True)
class Failures:
    """Jobs that failed: some of them, causes before consequences; and how many never started."""

    jobs: Sequence[JobRow]
    never_started: int


def failures(rows: Iterable[JobRow], limit: int = 5) -> Failures:
    """The latest failures. Jobs that failed only because something they need did come after the causes."""
    failed = [row for row in rows if row.state == "failed"]
    causes = [row for row in failed if row.status_code != "dependency_failed"]
    causes.sort(key=lambda row: row.completed_at or row.created_at, reverse=True)
    consequences = [row for row in failed if row.status_code == "dependency_failed"]
    return Failures([*causes, *consequences][:limit], len(consequences))


SLOTS = ("waiting_on_workers", "waiting_on_db_workers")


def ahead_in_queue(db: Session, backend_id: int, rows: Iterable[JobRow]) -> dict[int, int]:
    """For those of the jobs that wait for a slot of their backend: how many have waited longer, by id."""
    waiting = [row.id for row in rows if row.status_code in SLOTS and row.state == "pending"]
    if not waiting:
        return {}
    place = func.row_number().over(partition_by=Job.status_code, order_by=(Job.created_at, Job.id))
    queue = (
        select(Job.id, (place - 1).label("ahead"))
        .where(Job.backend_id == backend_id, Job.state == "pending", Job.status_code.in_(SLOTS))
        .subquery()
    )
    found = db.execute(select(queue.c.id, queue.c.ahead).where(queue.c.id.in_(waiting)))
    return {row.id: row.ahead for row in found}
