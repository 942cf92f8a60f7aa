"""What the older endpoints tell of requests that may still run, of roles and of actions (spec: rap 10)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, union
from sqlalchemy.dialects.postgresql import aggregate_order_by, distinct_on
from sqlalchemy.orm import Session, aliased

from jobserver.models import (
    ACTIVE_STATUSES,
    Backend,
    Job,
    JobRequest,
    Org,
    Project,
    ProjectCollaboration,
    Repo,
    User,
    Workspace,
)
from jobserver.models.choices import Role
from jobserver.queries.active_requests import RECENT
from jobserver.security.identity import Identity
from jobserver.security.permissions import Permission
from jobserver.security.roles import ROLES


@dataclass(frozen=True)
class AskedFor:
    """A job request as an older controller reads it; ``orgs`` are slugs, the lead organisation's first."""

    backend: str
    sha: str
    identifier: str
    force_run_dependencies: bool
    requested_actions: list[str]
    cancelled_actions: list[str]
    created_by: str
    created_at: datetime
    codelists_ok: bool
    workspace: str
    repo: str
    branch: str
    workspace_created_by: str
    workspace_created_at: datetime
    project: str
    orgs: list[str]


def asked_for(
    db: Session, *, backend_id: int | None, now: datetime, limit: int, offset: int
) -> tuple[int, list[AskedFor]]:
    """How many requests may still run, of one backend or of all; and a page of them, newest first."""
    wanted = _may_run(backend_id, now)
    count = db.scalar(select(func.count()).select_from(JobRequest).where(wanted)) or 0
    newest = (JobRequest.created_at.desc(), JobRequest.id.desc())
    page = select(JobRequest.id).where(wanted).order_by(*newest).limit(limit).offset(offset)
    maker, owner = aliased(User), aliased(User)
    statement: Select[*tuple[Any, ...]] = (
        select(
            Backend.slug,
            JobRequest.sha,
            JobRequest.identifier,
            JobRequest.force_run_dependencies,
            JobRequest.requested_actions,
            JobRequest.cancelled_actions,
            maker.username,
            JobRequest.created_at,
            JobRequest.codelists_ok,
            Workspace.name,
            Repo.url,
            Workspace.branch,
            owner.username,
            Workspace.created_at,
            Project.slug,
            _orgs(),
        )
        .join(Backend, Backend.id == JobRequest.backend_id)
        .join(maker, maker.id == JobRequest.created_by_id)
        .join(Workspace, Workspace.id == JobRequest.workspace_id)
        .join(owner, owner.id == Workspace.created_by_id)
        .join(Repo, Repo.id == Workspace.repo_id)
        .join(Project, Project.id == Workspace.project_id)
        .where(JobRequest.id.in_(page))
        .order_by(*newest)
    )
    return count, [AskedFor(*row) for row in db.execute(statement)]


def _may_run(backend_id: int | None, now: datetime) -> ColumnElement[bool]:
    """Of job requests: those that are active, or have a job that is."""
    active = select(JobRequest.id).where(
        JobRequest.status.in_(ACTIVE_STATUSES), JobRequest.created_at > now - RECENT
    )
    with_active_job = select(Job.job_request_id).where(Job.state.in_(("pending", "running")))
    # Each by its own index; an OR of both would read every request.
    wanted = JobRequest.id.in_(union(active, with_active_job))
    return wanted if backend_id is None else wanted & (JobRequest.backend_id == backend_id)


def _orgs() -> Any:
    order = ((Org.id == Project.org_id).desc(), func.lower(Org.name), Org.id)
    return (
        select(func.array_agg(aggregate_order_by(Org.slug, *order)))
        .join(ProjectCollaboration, ProjectCollaboration.org_id == Org.id)
        .where(ProjectCollaboration.project_id == Project.id)
        .scalar_subquery()
    )


def roles_by_project(db: Session, person: Identity) -> Mapping[str, tuple[Role, ...]]:
    """Somebody's roles in each of the projects they are a member of, by its slug, in order."""
    slugs = select(Project.id, Project.slug).where(Project.id.in_(person.project_roles))
    return {slug: person.project_roles[id_] for id_, slug in db.execute(slugs.order_by(Project.slug))}


# They follow from others, and are not among the names that programs know.
_DERIVED = frozenset({Permission.APPLICATION_ACCESS, Permission.SNAPSHOT_VIEW})


def permissions_of(held: Iterable[Role]) -> list[str]:
    """What the roles carry, by the names that programs know, in order (spec: access 1.3)."""
    return sorted({each for role in held for each in ROLES[role].permissions} - _DERIVED)


def statuses(db: Session, workspace_id: int, backend: str | None) -> dict[str, str]:
    """By action the status of its newest job in the workspace; on one backend, if its slug is given."""
    newest = (
        select(Job.action, Job.status)
        .ext(distinct_on(Job.action))
        .where(Job.workspace_id == workspace_id)
        .order_by(Job.action, Job.created_at.desc(), Job.id.desc())
    )
    if backend is not None:
        here = select(Backend.id).where(Backend.slug == backend.replace("\0", ""))
        newest = newest.where(Job.backend_id == here.scalar_subquery())
    return {row.action: row.status for row in db.execute(newest)}
