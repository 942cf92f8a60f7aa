"""Handing a job request to the controller, as often as it takes until the controller has decided."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import structlog
from opentelemetry import trace
from sqlalchemy import case, func, select, update
from sqlalchemy.orm import Session

from jobserver import locks, queue
from jobserver.actions import happenings
from jobserver.clients.rap import (
    Created,
    CreateRequest,
    RapNotConfigured,
    RapRefused,
    RapUnauthorised,
    RapUnavailable,
)
from jobserver.models import (
    Backend,
    HappeningKind,
    JobRequest,
    JobRequestStatus,
    Org,
    Project,
    ProjectCollaboration,
    Repo,
    User,
    Workspace,
    utcnow,
)
from jobserver.queries.active_requests import undecided
from jobserver.queries.analysis_scope import analysis_scope
from jobserver.rap.context import Context

log = structlog.get_logger(__name__)
tracer = trace.get_tracer("job_requests")


class Outcome(StrEnum):
    """What became of one attempt."""

    ACCEPTED = "accepted"
    NOTHING_TO_DO = "nothing_to_do"
    REFUSED = "refused"
    UNKNOWN = "unknown"  # no usable answer: to be repeated
    BUSY = "busy"  # somebody else is at it
    SETTLED = "settled"  # the controller has decided before


def submit(context: Context, job_request_id: int) -> Outcome:
    """Ask the controller to make the jobs of a request, and record what it said (spec: rap 3.2 and 11).

    May be called at any time, by anybody, any number of times. A request without a usable answer stays
    unsettled, and the status service calls again.
    """
    with context.alone(locks.SUBMISSION, job_request_id) as alone:
        if not alone:
            return Outcome.BUSY
        with context.transaction() as db:
            attempt = _begin(db, job_request_id)
        if attempt is None:
            return Outcome.SETTLED
        request = attempt.request
        with (
            tracer.start_as_current_span("create_rap") as span,
            structlog.contextvars.bound_contextvars(function="submit", rap_id=request.rap_id),
        ):
            span.set_attributes(
                {"rap_id": request.rap_id, "requested_actions": list(request.requested_actions)}
            )
            return _ask(context, job_request_id, attempt)


@dataclass(frozen=True)
class _Attempt:
    """What to send; ``unanswered``: an earlier attempt got no usable answer."""

    request: CreateRequest
    unanswered: bool


def _begin(db: Session, job_request_id: int) -> _Attempt | None:
    """What to send, noting the attempt; None if the request is settled or does not exist."""
    began = db.execute(
        update(JobRequest)
        .where(JobRequest.id == job_request_id, undecided())
        .values(last_submitted_at=utcnow(), submit_attempts=JobRequest.submit_attempts + 1)
        .returning(JobRequest.submit_attempts, JobRequest.status)
    ).one_or_none()
    if began is None:
        return None
    if began.submit_attempts == 1:
        happenings.note(db, job_request_id, HappeningKind.SENT)
    unanswered = began.status == JobRequestStatus.UNKNOWN_ERROR_CREATING_JOBS
    return _Attempt(_to_send(db, job_request_id), unanswered)


def _to_send(db: Session, job_request_id: int) -> CreateRequest:
    request = JobRequest
    row = db.execute(
        select(
            request.identifier,
            request.sha,
            request.requested_actions,
            request.codelists_ok,
            request.force_run_dependencies,
            request.analysis_scope,
            func.coalesce(func.nullif(request.branch, ""), Workspace.branch).label("branch"),
            Backend.slug.label("backend"),
            Workspace.name.label("workspace"),
            Repo.url.label("repo_url"),
            User.username.label("created_by"),
            Project.id.label("project_id"),
            Project.slug.label("project"),
        )
        .join(Backend, Backend.id == request.backend_id)
        .join(Workspace, Workspace.id == request.workspace_id)
        .join(Repo, Repo.id == Workspace.repo_id)
        .join(Project, Project.id == Workspace.project_id)
        .join(User, User.id == request.created_by_id)
        .where(request.id == job_request_id)
    ).one()
    scope = row.analysis_scope
    return CreateRequest(
        rap_id=row.identifier,
        backend=row.backend,
        workspace=row.workspace,
        repo_url=row.repo_url,
        branch=row.branch,
        commit=row.sha,
        requested_actions=tuple(row.requested_actions),
        codelists_ok=row.codelists_ok,
        force_run_dependencies=row.force_run_dependencies,
        created_by=row.created_by,
        project=row.project,
        orgs=_orgs(db, row.project_id),
        analysis_scope=analysis_scope(db, row.project_id) if scope is None else scope,
    )


def _orgs(db: Session, project_id: int) -> tuple[str, ...]:
    """Slugs of the project's organisations, the lead first."""
    wanted = (
        select(Org.slug)
        .join(ProjectCollaboration, ProjectCollaboration.org_id == Org.id)
        .join(Project, Project.id == ProjectCollaboration.project_id)
        .where(Project.id == project_id)
        .order_by((Org.id != Project.org_id), Org.slug)
    )
    return tuple(db.scalars(wanted))


def _ask(context: Context, job_request_id: int, attempt: _Attempt) -> Outcome:
    try:
        answer = context.clients.rap.create(attempt.request)
    except RapRefused as error:
        log.warning("rap_create_refused", status=error.status, error=error.error, details=error.details)
        outcome, values = Outcome.REFUSED, _settled(JobRequestStatus.FAILED, error.details)
    except (RapUnauthorised, RapNotConfigured) as error:
        # The operators' fault: the person's request is kept and sent once it is mended.
        log.error("rap_create_not_allowed", reason=str(error))  # noqa: TRY400
        outcome, values = Outcome.UNKNOWN, _unsettled()
    except RapUnavailable as error:
        log.warning("rap_create_unavailable", reason=error.reason)
        outcome, values = Outcome.UNKNOWN, _unsettled()
    else:
        log.info("rap_created", count=answer.count, result=answer.result)
        outcome, values = _accepted(answer)
    with context.transaction() as db:
        recorded = _record(db, job_request_id, values)
        if recorded and not (outcome is Outcome.UNKNOWN and attempt.unanswered):
            happenings.note(db, job_request_id, _NOTED[outcome], values["status_message"] or "")
        if outcome is not Outcome.UNKNOWN:
            queue.wake_status_service(db)
    return outcome


_NOTED = {
    Outcome.ACCEPTED: HappeningKind.ACCEPTED,
    Outcome.NOTHING_TO_DO: HappeningKind.NOTHING_TO_DO,
    Outcome.REFUSED: HappeningKind.REFUSED,
    # Once, however often it is asked again. Why is for operators: it is in the log.
    Outcome.UNKNOWN: HappeningKind.NO_ANSWER,
}


def _accepted(answer: Created) -> tuple[Outcome, dict[str, Any]]:
    if answer.count:
        return Outcome.ACCEPTED, _settled(JobRequestStatus.PENDING, None)
    return Outcome.NOTHING_TO_DO, _settled(JobRequestStatus.NOTHING_TO_DO, answer.details)


def _settled(status: JobRequestStatus, message: str | None) -> dict[str, Any]:
    settled = {"settled_at": utcnow(), "unrecognised_since": None, "unrecognised_polls": 0}
    return {"status": status, "status_message": message, **settled}


def _unsettled() -> dict[str, Any]:
    # The pause before the next attempt is counted from the end of this one.
    now = utcnow()
    return {
        "status": JobRequestStatus.UNKNOWN_ERROR_CREATING_JOBS,
        "status_message": None,
        "last_submitted_at": now,
    }


def _record(db: Session, job_request_id: int, values: dict[str, Any]) -> bool:
    """Store the outcome, unless it was learnt another way: whether it was stored.

    What jobs say of the status stands.
    """
    request = JobRequest
    known = request.jobs_total > 0
    told = {name: case((known, getattr(request, name)), else_=values[name]) for name in _OF_JOBS}
    stored = db.execute(
        update(request)
        .where(request.id == job_request_id, request.settled_at.is_(None))
        .values(**{**values, **told}, version=request.version + 1)
        .returning(request.id)
    )
    return stored.scalar() is not None


_OF_JOBS = ("status", "status_message")
