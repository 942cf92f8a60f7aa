"""What has happened to a request or a job, from all that is kept of it (spec: pages 30.6)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, Text, and_, func, literal, null, or_, select, union_all
from sqlalchemy.orm import Session

from jobserver.models import Cancellation, Happening, HappeningKind, Job, JobRequest
from jobserver.queries.job_requests import is_followed


@dataclass(frozen=True)
class HappeningRow:
    """One thing that happened, as it was noticed.

    ``kind`` is one of those of :class:`HappeningKind`, or "asked", "cancelling", "cancelled" (the controller
    accepted the cancellation ``cancellation_id``) or "ended", of which the request's own rows tell. For a
    job, ``before`` is the status that it had until then, "" at first sight; the other fields are the job's.
    """

    at: datetime
    kind: str
    status: str = ""
    status_code: str = ""
    note: str = ""
    cancellation_id: int | None = None
    job_id: int | None = None
    action: str | None = None
    identifier: str | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    status_message: str | None = None

    @property
    def before(self) -> str:
        """The status of the job until then."""
        return self.note if self.kind == HappeningKind.JOB else ""


# Left out of a summary: first sights of jobs that wait, and steps within one status.
_MILESTONE: ColumnElement[bool] = or_(
    Happening.kind != HappeningKind.JOB,
    and_(
        func.lower(Happening.status) != func.lower(Happening.note),
        ~and_(Happening.note == "", func.lower(Happening.status).in_(("pending", ""))),
    ),
)

_JOB = (Job.id, Job.action, Job.identifier, Job.started_at, Job.completed_at, Job.status_message)


def of_job(db: Session, job_id: int, limit: int = 200) -> list[HappeningRow]:
    """Every change of one job that was noticed, oldest first; at most the last ``limit``."""
    statement = (
        select(
            Happening.at,
            Happening.kind,
            Happening.status,
            Happening.status_code,
            Happening.note,
            null(),
            *_JOB,
        )
        .join(Job, Job.id == Happening.job_id)
        .where(Happening.job_id == job_id)
        .order_by(Happening.id.desc())
        .limit(limit)
    )
    return [HappeningRow(*row) for row in db.execute(statement)][::-1]


def of_request(
    db: Session, job_request: JobRequest, *, limit: int, offset: int = 0, milestones: bool = False
) -> list[HappeningRow]:
    """What happened to a request and its jobs, newest first; ``milestones``: without the small steps."""
    # Ids grow with time, so the newest of each source are enough.
    noted = (
        select(
            Happening.at,
            Happening.id.label("place"),
            Happening.kind,
            Happening.status,
            Happening.status_code,
            Happening.note,
            null().cast(Integer).label("cancellation_id"),
            Happening.job_id,
        )
        .where(Happening.job_request_id == job_request.id, *([_MILESTONE] if milestones else []))
        .order_by(Happening.id.desc())
        .limit(offset + limit)
    )
    parts = union_all(noted, *_from_the_rows(job_request)).subquery()
    page = (
        select(parts).order_by(parts.c.at.desc(), parts.c.place.desc()).limit(limit).offset(offset).subquery()
    )
    columns = [page.c[name] for name in ("at", "kind", "status", "status_code", "note", "cancellation_id")]
    statement = (
        select(*columns, *_JOB)
        .outerjoin(Job, Job.id == page.c.job_id)
        .order_by(page.c.at.desc(), page.c.place.desc())
    )
    return [HappeningRow(*row) for row in db.execute(statement)]


def number_of_request(db: Session, job_request: JobRequest) -> int:
    """How many rows :func:`of_request` has in all."""
    noted = select(func.count()).where(Happening.job_request_id == job_request.id).scalar_subquery()
    rest = union_all(*_from_the_rows(job_request)).subquery()
    return db.scalar(select(noted + select(func.count()).select_from(rest).scalar_subquery())) or 0


def _from_the_rows(job_request: JobRequest) -> list[Select[Any]]:
    """What the request itself and its cancellations tell: rows as those of ``happening``."""
    wish = Cancellation
    mine = wish.job_request_id == job_request.id
    found = [
        _row(literal(job_request.created_at), "asked"),
        _row(wish.created_at, "cancelling", wish.id).where(mine),
        _row(wish.sent_at, "cancelled", wish.id).where(mine, wish.sent_at.is_not(None)),
    ]
    if job_request.completed_at and not is_followed(job_request):
        # What the controller's clock says, but never before the last job was seen to end.
        last_seen = (
            select(Happening.at)
            .where(Happening.job_request_id == job_request.id, Happening.kind == HappeningKind.JOB)
            .order_by(Happening.id.desc())
            .limit(1)
            .scalar_subquery()
        )
        found.append(_row(func.greatest(literal(job_request.completed_at), last_seen), "ended", place=_LAST))
    return found


_LAST = 2**31 - 1


def _row(at: Any, kind: str, cancellation_id: Any = None, *, place: int = 0) -> Select[Any]:
    empty = literal("", Text)
    nothing = null().cast(Integer)
    id_ = nothing if cancellation_id is None else cancellation_id
    return select(at, literal(place, Integer), literal(kind, Text), empty, empty, empty, id_, nothing)
