"""What the run form shows: how each action ended last on a backend, and what was asked for before."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, cast, exists, func, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import Text

from jobserver.models import ACTIVE_STATUSES, DataPermission, Job, JobRequest, PermissionKind, utcnow
from jobserver.pipeline import Asked, Pipeline
from jobserver.queries.active_requests import RECENT


@dataclass(frozen=True)
class LastRun:
    """The last job of an action on a backend.

    ``result``: the state of the last one that was not cancelled, by which the controller decides;
    ``result_in`` the id of the request it belongs to. ``took``: how long the last success ran.
    """

    status: str
    status_code: str
    at: datetime
    job_request_id: int
    result: str | None
    result_in: int | None
    took: timedelta | None


@dataclass(frozen=True)
class LastRequest:
    """The newest request of a workspace on a backend."""

    id: int
    sha: str
    created_at: datetime
    requested_actions: list[str]


def known_runs(db: Session, workspace_id: int, backend_id: int, pipeline: Pipeline) -> dict[str, LastRun]:
    """The last run of each action of the file that ever ran here, or is about to.

    Requests whose jobs nobody has told of yet count as pending, since the controller will have made their
    jobs by the time it gets another request (spec: rap 1.3 step 5).
    """
    runs = last_runs(db, workspace_id, backend_id, pipeline.actions)
    coming = {asked.id: (asked, at) for asked, at in unreported(db, workspace_id, backend_id)}
    asked_before = pipeline.under_way([asked for asked, _ in coming.values()], states_of(runs))
    for name, request_id in asked_before.items():
        at, before = coming[request_id][1], runs.get(name)
        pending = LastRun("pending", "", at, request_id, "pending", request_id, None)
        runs[name] = replace(pending, took=before.took) if before else pending
    return runs


def states_of(runs: Mapping[str, LastRun]) -> dict[str, str | None]:
    """The states by which the controller decides."""
    return {name: run.result for name, run in runs.items()}


def unreported(db: Session, workspace_id: int, backend_id: int) -> list[tuple[Asked, datetime]]:
    """The active requests of which no job is known yet, with when they were made, oldest first."""
    statement = (
        select(
            JobRequest.id,
            JobRequest.requested_actions,
            JobRequest.force_run_dependencies,
            JobRequest.created_at,
        )
        .where(
            JobRequest.workspace_id == workspace_id,
            JobRequest.backend_id == backend_id,
            JobRequest.status.in_(ACTIVE_STATUSES),
            JobRequest.created_at > utcnow() - RECENT,
            ~exists().where(Job.job_request_id == JobRequest.id),
        )
        .order_by(JobRequest.id)
    )
    return [(Asked(id_, actions, force), at) for id_, actions, force, at in db.execute(statement)]


def last_runs(db: Session, workspace_id: int, backend_id: int, actions: Iterable[str]) -> dict[str, LastRun]:
    """The last run of each of these actions that ever ran: one statement, an index look-up for each."""
    names = func.unnest(cast(list(actions), ARRAY(Text))).table_valued("name").render_derived("names")
    name = names.c.name

    def newest(*conditions: ColumnElement[bool]) -> Select[Any]:
        return (
            select(Job)
            .where(
                Job.workspace_id == workspace_id,
                Job.backend_id == backend_id,
                Job.action == name,
                *conditions,
            )
            .order_by(Job.created_at.desc(), Job.id.desc())
            .limit(1)
        )

    last = newest().lateral("last")
    counted = newest(Job.state != "cancelled").lateral("counted")
    success = newest(
        Job.state == "succeeded", Job.started_at.is_not(None), Job.completed_at.is_not(None)
    ).lateral("success")
    statement = (
        select(
            name,
            last.c.status,
            last.c.status_code,
            func.coalesce(last.c.completed_at, last.c.started_at, last.c.created_at),
            last.c.job_request_id,
            counted.c.state,
            counted.c.job_request_id,
            success.c.completed_at - success.c.started_at,
        )
        .select_from(names)
        .join(last, true())
        .outerjoin(counted, true())
        .outerjoin(success, true())
    )
    return {action: LastRun(*about) for action, *about in db.execute(statement)}


def last_requests(db: Session, workspace_id: int, backend_ids: Iterable[int]) -> Mapping[int, LastRequest]:
    """The newest request of the workspace on each of these backends, by the backend's id."""
    newest = (
        select(func.max(JobRequest.id))
        .where(JobRequest.workspace_id == workspace_id, JobRequest.backend_id.in_(list(backend_ids)))
        .group_by(JobRequest.backend_id)
    )
    statement = select(
        JobRequest.backend_id,
        JobRequest.id,
        JobRequest.sha,
        JobRequest.created_at,
        JobRequest.requested_actions,
    ).where(JobRequest.id.in_(newest))
    return {
        backend_id: LastRequest(id_, sha, at, actions)
        for backend_id, id_, sha, at, actions in db.execute(statement)
    }


def sent_before(db: Session, identifier: str, user_id: int, workspace_id: int) -> int | None:
    """The id of the request that this person made here with this identifier."""
    return db.scalar(
        select(JobRequest.id).where(
            JobRequest.identifier == identifier,
            JobRequest.created_by_id == user_id,
            JobRequest.workspace_id == workspace_id,
        )
    )


def may_use_sqlrunner(db: Session, project_id: int) -> bool:
    """Whether the project's permission to use sqlrunner is in force."""
    granted = and_(
        DataPermission.project_id == project_id,
        DataPermission.kind == PermissionKind.TOOL,
        DataPermission.name == "sqlrunner",
        DataPermission.revoked_at.is_(None),
    )
    return db.scalar(select(DataPermission.id).where(granted)) is not None
