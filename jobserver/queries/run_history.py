"""All runs of one action in a workspace, on every backend, by few look-ups in an index."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, true
from sqlalchemy.orm import Session

from jobserver.models import Backend, Job, JobRequest
from jobserver.queries.job_metrics import amount
from jobserver.templating.states import State, state_of

# So many of the latest successes say what is usual.
USUAL_OF = 10


@dataclass(frozen=True)
class PastRun:
    """One run of the action. ``memory``: the most that it used, in megabytes; None if that is not known."""

    id: int
    identifier: str
    job_request_id: int
    sha: str
    backend_id: int
    backend: str
    status: str
    status_code: str
    state: str
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    memory: float | None

    @property
    def shown(self) -> State:
        """The state as pages show it."""
        return state_of(self.status, self.status_code)

    @property
    def took(self) -> timedelta | None:
        """How long it ran, never less than nothing; None while it is not known."""
        if self.started_at is None or self.completed_at is None or self.state in {"pending", "running"}:
            return None
        return max(self.completed_at - self.started_at, timedelta())


_COLUMNS = (
    Job.id,
    Job.identifier,
    Job.job_request_id,
    JobRequest.sha,
    Job.backend_id,
    Backend.name,
    Job.status,
    Job.status_code,
    Job.state,
    Job.created_at,
    Job.started_at,
    Job.completed_at,
    Job.metrics["mem_mb_peak"],
)


def newest(db: Session, workspace_id: int, action: str, *, limit: int, offset: int = 0) -> list[PastRun]:
    """Runs of the action in the workspace on all backends, newest first."""
    # The keys come from the index alone, those of each backend in order; only this page's rows are read.
    keys = _of_each_backend(workspace_id, action, limit=offset + limit)
    order = (keys.c.created_at.desc(), keys.c.id.desc())
    page = select(keys).order_by(*order).limit(limit).offset(offset).subquery("page")
    return _rows(db, page)


def number(db: Session, workspace_id: int, action: str) -> int:
    """How many runs of the action there are in the workspace."""
    of_backend = (
        select(func.count().label("runs"))
        .where(Job.workspace_id == workspace_id, Job.backend_id == Backend.id, Job.action == action)
        .correlate(Backend)
        .lateral("of_backend")
    )
    total = (
        select(func.coalesce(func.sum(of_backend.c.runs), 0)).select_from(Backend).join(of_backend, true())
    )
    return int(db.scalar(total) or 0)


@dataclass(frozen=True)
class Successes:
    """Earlier successes of a job's action in its workspace.

    ``here``: the latest on the job's backend, newest first. ``elsewhere``: the latest on any other backend.
    """

    here: Sequence[PastRun] = ()
    elsewhere: PastRun | None = None

    @property
    def last(self) -> PastRun | None:
        """The latest on the job's own backend, else on another."""
        return self.here[0] if self.here else self.elsewhere

    @property
    def usual_memory(self) -> tuple[float, float] | None:
        """Between what the peaks of memory here lay, if it is known of three at least; in megabytes."""
        known = [run.memory for run in self.here if run.memory is not None]
        return (min(known), max(known)) if len(known) >= 3 else None


def successes_before(db: Session, job: Job) -> Successes:
    """The latest successes of the same action in the same workspace before this job."""
    keys = _of_each_backend(
        job.workspace_id,
        job.action,
        Job.state == "succeeded",
        Job.job_request_id < job.job_request_id,
        Job.created_at <= job.created_at,
        limit=USUAL_OF,
    )
    rows = _rows(db, select(keys).subquery("page"))
    here = [row for row in rows if row.backend_id == job.backend_id]
    return Successes(here, next((row for row in rows if row.backend_id != job.backend_id), None))


def _of_each_backend(workspace_id: int, action: str, *conditions: ColumnElement[bool], limit: int) -> Any:
    """The keys of the newest runs on each backend, an index scan for each."""
    of_backend = (
        select(Job.id, Job.created_at)
        .where(
            Job.workspace_id == workspace_id,
            Job.backend_id == Backend.id,
            Job.action == action,
            *conditions,
        )
        .order_by(Job.created_at.desc(), Job.id.desc())
        .limit(limit)
        .correlate(Backend)
        .lateral("of_backend")
    )
    every: Select[Any] = select(of_backend.c.id, of_backend.c.created_at).select_from(Backend)
    return every.join(of_backend, true()).subquery("keys")


def _rows(db: Session, page: Any) -> list[PastRun]:
    statement: Select[Any] = (
        select(*_COLUMNS)
        .select_from(page)
        .join(Job, Job.id == page.c.id)
        .join(JobRequest, JobRequest.id == Job.job_request_id)
        .join(Backend, Backend.id == Job.backend_id)
        .order_by(page.c.created_at.desc(), page.c.id.desc())
    )
    return [PastRun(*[*row[:-1], amount(row[-1])]) for row in db.execute(statement)]
