"""What the page of a job shows (spec: pages 13, rap 9)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Text, cast, func, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from jobserver.models import Job
from jobserver.queries.job_requests import COLUMNS, STALE_AFTER, JobRow
from jobserver.queries.needs import Needs, needs_of_request

MOST_RELATIVES = 200


def row_of(job: Job) -> JobRow:
    """The job as lists have it."""
    return JobRow(**{name: getattr(job, name) for name in JobRow.__dataclass_fields__})


def silence(row: JobRow, now: datetime) -> timedelta | None:
    """How long nothing was heard of the job while it is active, if that is too long (spec: rap 6.4)."""
    if not row.is_active or row.updated_at is None or now - row.updated_at <= STALE_AFTER:
        return None
    return now - row.updated_at


@dataclass(frozen=True)
class Relatives:
    """Jobs that this one has to do with, of the same request but for the cause.

    ``needs``: each action it needs, with its job if this request has one. ``cause``: why it never started,
    the nearest job that failed by itself or was cancelled; it may be one that an earlier request made and
    this one waited for, of the request ``cause_in``. ``stopped``: what never started because of it.
    """

    needs: Sequence[tuple[str, JobRow | None]] = ()
    cause: JobRow | None = None
    cause_in: int | None = None
    stopped: Sequence[JobRow] = ()

    @property
    def waiting_for(self) -> list[str]:
        """The needed actions that have not ended."""
        return [name for name, row in self.needs if row is not None and row.is_active]


def relatives(db: Session, job: Job) -> Relatives:
    """What the job needs and what needs it, by the request's ``project.yaml``."""
    needs = needs_of_request(db, job.job_request_id)
    before = _reached(needs, job.action)
    after = _reached(_turned_round(needs), job.action)
    if not before and not after:
        return Relatives()
    statement = select(*COLUMNS).where(
        Job.job_request_id == job.job_request_id, Job.action.in_([*before, *after])
    )
    jobs = {row.action: row for row in (JobRow(*found) for found in db.execute(statement))}
    cause = cause_in = None
    if job.status_code == "dependency_failed":
        cause = next((jobs[name] for name in before if name in jobs and _is_cause(jobs[name])), None)
        cause_in = job.job_request_id
        if cause is None:
            cause, cause_in = _cause_elsewhere(db, job, [name for name in before if name not in jobs])
    return Relatives(
        needs=[(name, jobs.get(name)) for name in needs.get(job.action, ())],
        cause=cause,
        cause_in=cause_in,
        stopped=[jobs[name] for name in after if name in jobs and _never_started(jobs[name])],
    )


def _cause_elsewhere(db: Session, job: Job, names: Sequence[str]) -> tuple[JobRow | None, int | None]:
    """The first of these actions that ended badly in an earlier request here, and that request."""
    if not names:
        return None, None
    unnested = func.unnest(cast(list(names), ARRAY(Text())))
    wanted = unnested.table_valued("action", with_ordinality="place", name="wanted").render_derived()
    last = (
        select(Job.job_request_id, *COLUMNS)
        .where(
            Job.workspace_id == job.workspace_id,
            Job.backend_id == job.backend_id,
            Job.action == wanted.c.action,
            Job.created_at <= job.created_at,
        )
        .order_by(Job.created_at.desc(), Job.id.desc())
        .limit(1)
        .lateral("last")
    )
    statement = select(last).select_from(wanted).join(last, true()).order_by(wanted.c.place)
    for request_id, *found in db.execute(statement):
        if _is_cause(row := JobRow(*found)):
            return row, request_id
    return None, None


def _is_cause(row: JobRow) -> bool:
    return row.state in {"failed", "cancelled"} and not _never_started(row)


def _never_started(row: JobRow) -> bool:
    return row.status_code == "dependency_failed"


def _reached(needs: Mapping[str, Iterable[str]], start: str) -> list[str]:
    """Everything that can be reached from an action, nearest first; a limited number."""
    found: dict[str, None] = {}
    waiting = [start]
    while waiting and len(found) < MOST_RELATIVES:
        name = waiting.pop(0)
        fresh = [other for other in needs.get(name, ()) if other not in found and other != start]
        found.update(dict.fromkeys(fresh))
        waiting += fresh
    return list(found)


def _turned_round(needs: Needs) -> dict[str, list[str]]:
    needed_by: dict[str, list[str]] = {}
    for name, wanted in needs.items():
        for other in wanted:
            needed_by.setdefault(other, []).append(name)
    return needed_by
