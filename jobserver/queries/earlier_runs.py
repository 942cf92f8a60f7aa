"""What ran before in the same workspace on the same backend."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import cast, extract, func, literal, select, true, union_all
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import Text

from jobserver.models import Job, JobRequest


@dataclass(frozen=True)
class Earlier:
    """An earlier request of the same workspace on the same backend."""

    id: int
    sha: str


def earlier_requests(db: Session, job_request: JobRequest) -> tuple[Earlier | None, Earlier | None]:
    """The request before this one, and the last one before it that wholly succeeded."""
    before = (
        select(JobRequest.id, JobRequest.sha)
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
    both = union_all(
        select(literal("last"), last.c.id, last.c.sha),
        select(literal("success"), success.c.id, success.c.sha),
    )
    found = {which: Earlier(id_, sha) for which, id_, sha in db.execute(both)}
    return found.get("last"), found.get("success")


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


@dataclass(frozen=True)
class LastSuccess:
    """When an action last worked."""

    identifier: str
    job_request_id: int
    sha: str
    completed_at: datetime | None


def last_success(db: Session, job: Job) -> LastSuccess | None:
    """The last success of the same action here before this job."""
    statement = (
        select(Job.identifier, JobRequest.id, JobRequest.sha, Job.completed_at)
        .join(JobRequest, JobRequest.id == Job.job_request_id)
        .where(
            Job.workspace_id == job.workspace_id,
            Job.backend_id == job.backend_id,
            Job.action == job.action,
            Job.state == "succeeded",
            Job.job_request_id < job.job_request_id,
        )
        .order_by(Job.created_at.desc(), Job.id.desc())
        .limit(1)
    )
    row = db.execute(statement).one_or_none()
    return LastSuccess(*row) if row else None
