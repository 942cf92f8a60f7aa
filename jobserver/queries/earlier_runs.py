"""What ran before in the same workspace on the same backend."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import cast, extract, func, literal, select, true, union_all
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import Text

from jobserver.models import Job, JobRequest

MOST_RERUNS = 20


@dataclass(frozen=True)
class Other:
    """Another request of the same workspace."""

    id: int
    sha: str


@dataclass(frozen=True)
class Others:
    """Requests that have to do with one: the one before it on the same backend, the last one before it that
    wholly succeeded, and those that repeat it, newest first."""

    last: Other | None = None
    success: Other | None = None
    reruns: Sequence[Other] = ()


def others(db: Session, job_request: JobRequest) -> Others:
    """The requests of the same workspace that this one is compared with, and those that repeat it."""
    columns = (JobRequest.id, JobRequest.sha)
    before = (
        select(*columns)
        .where(
            JobRequest.workspace_id == job_request.workspace_id,
            JobRequest.backend_id == job_request.backend_id,
            JobRequest.id < job_request.id,
        )
        .order_by(JobRequest.id.desc())
        .limit(1)
    )
    last = before.subquery()
    success = before.where(JobRequest.status == "succeeded", JobRequest.jobs_succeeded > 0).subquery()
    reruns = (
        select(*columns)
        .where(JobRequest.rerun_of_id == job_request.id, JobRequest.workspace_id == job_request.workspace_id)
        .order_by(JobRequest.id.desc())
        .limit(MOST_RERUNS)
        .subquery()
    )
    every = union_all(
        select(literal("last"), last.c.id, last.c.sha),
        select(literal("success"), success.c.id, success.c.sha),
        select(literal("rerun"), reruns.c.id, reruns.c.sha),
    )
    rows = [(which, Other(id_, sha)) for which, id_, sha in db.execute(every)]
    found = dict(rows)
    again = sorted((other for which, other in rows if which == "rerun"), key=lambda other: -other.id)
    return Others(found.get("last"), found.get("success"), again)


def usual_seconds(db: Session, job_request: JobRequest, actions: Sequence[str]) -> dict[str, float]:
    """How long actions usually run here: the median of their last five successes, from three on."""
    unnested = func.unnest(cast(list(actions), ARRAY(Text())))
    names = unnested.table_valued("action", name="wanted").render_derived()
    seconds = extract("epoch", Job.completed_at - Job.started_at)
    recent = (
        select(seconds.label("seconds"))
        .where(
            Job.workspace_id == job_request.workspace_id,
            Job.backend_id == job_request.backend_id,
            Job.action == names.c.action,
            Job.state == "succeeded",
            Job.job_request_id != job_request.id,
            Job.completed_at >= Job.started_at,
        )
        .order_by(Job.created_at.desc(), Job.id.desc())
        .limit(5)
        .lateral("recent")
    )
    statement = (
        select(names.c.action, func.percentile_cont(0.5).within_group(recent.c.seconds))
        .select_from(names)
        .join(recent, true())
        .group_by(names.c.action)
        .having(func.count() >= 3)
    )
    return {action: float(median) for action, median in db.execute(statement)}
