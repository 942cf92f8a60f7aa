"""Two requests of a workspace side by side: what each of their actions came to (spec: pages 30.6 no. 59)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Float, Select, Subquery, and_, case, cast, extract, func, null, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, joinedload

from jobserver.models import Job, JobRequest
from jobserver.templating.states import State, state_of

# Times and memory that differ by less than this share, or by less than these amounts, are as good as equal.
SHARE, SECONDS, MEGABYTES = 0.25, 60.0, 100.0


@dataclass(frozen=True)
class Side:
    """What an action came to in one of the requests; seconds and peak memory (MB) where they are known."""

    identifier: str
    status: str
    status_code: str
    seconds: float | None
    mem_mb_peak: float | None

    @property
    def shown(self) -> State:
        """Its state as pages show it."""
        return state_of(self.status, self.status_code)


@dataclass(frozen=True)
class Line:
    """One action; a side is None if the request has no job of it. The flags say what differs notably."""

    action: str
    before: Side | None
    after: Side | None
    outcome: bool
    time: bool
    memory: bool

    @property
    def differs(self) -> bool:
        """Whether anything does."""
        return self.outcome or self.time or self.memory


@dataclass(frozen=True)
class Lines:
    """Some of the actions, and how many there are and differ in all."""

    lines: Sequence[Line]
    total: int
    differing: int


def request_of(db: Session, id_: int) -> JobRequest | None:
    """A request with its backend and requester; None if there is none of this number."""
    wanted = select(JobRequest).where(JobRequest.id == id_)
    return db.scalar(wanted.options(joinedload(JobRequest.backend), joinedload(JobRequest.created_by)))


def compared(
    db: Session, before_id: int, after_id: int, *, memory: bool, limit: int | None = None, offset: int = 0
) -> Lines:
    """The actions of two requests, those that differ first: by outcome, then by time or ``memory``."""
    rows = _compared(before_id, after_id, memory=memory).subquery()
    differs = or_(rows.c.outcome, rows.c.time, rows.c.memory)
    statement = (
        select(
            rows, func.count().over().label("total"), func.count().filter(differs).over().label("differing")
        )
        .order_by(rows.c.outcome.desc(), differs.desc(), rows.c.action)
        .limit(limit)
        .offset(offset)
    )
    found = db.execute(statement).all()
    lines = [
        Line(row.action, _side(row[1:6]), _side(row[6:11]), row.outcome, row.time, row.memory)
        for row in found
    ]
    return Lines(lines, found[0].total if found else 0, found[0].differing if found else 0)


def _compared(before_id: int, after_id: int, *, memory: bool) -> Select[Any]:
    before, after = _jobs(before_id, memory), _jobs(after_id, memory)
    outcome = or_(
        before.c.identifier.is_(None),
        after.c.identifier.is_(None),
        before.c.state != after.c.state,
        and_(before.c.state == "failed", before.c.status_code != after.c.status_code),
    )
    columns = ("identifier", "status", "status_code", "seconds", "memory")
    return select(
        func.coalesce(before.c.action, after.c.action).label("action"),
        *[before.c[name].label(f"before_{name}") for name in columns],
        *[after.c[name].label(f"after_{name}") for name in columns],
        outcome.label("outcome"),
        _notably(before.c.seconds, after.c.seconds, SECONDS).label("time"),
        _notably(before.c.memory, after.c.memory, MEGABYTES).label("memory"),
    ).select_from(before.join(after, before.c.action == after.c.action, full=True))


def _jobs(job_request_id: int, memory: bool) -> Subquery:
    """The latest job of each action, with how long it took and the memory it needed."""
    took = func.greatest(extract("epoch", Job.completed_at - Job.started_at), 0.0)
    ended = Job.state.in_(("succeeded", "failed", "cancelled"))
    peak = Job.metrics["mem_mb_peak"]
    # What is reported there may be anything.
    is_number = func.jsonb_typeof(peak) == "number"
    return (
        select(
            Job.action,
            Job.identifier,
            Job.status,
            Job.status_code,
            Job.state,
            case((and_(ended, Job.started_at.is_not(None), Job.completed_at.is_not(None)), took)).label(
                "seconds"
            ),
            (case((is_number, peak.as_float())) if memory else cast(null(), Float)).label("memory"),
        )
        .where(Job.job_request_id == job_request_id)
        .ext(distinct_on(Job.action))
        .order_by(Job.action, Job.created_at.desc(), Job.id.desc())
        .subquery()
    )


def _notably(before: Any, after: Any, least: float) -> Any:
    """Whether two amounts differ by enough to be worth a look."""
    difference = func.abs(before - after)
    return func.coalesce(and_(difference > least, difference > SHARE * func.least(before, after)), False)


def _side(values: Sequence[Any]) -> Side | None:
    return Side(*values) if values[0] is not None else None
