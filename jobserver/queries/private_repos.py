"""Private repositories that must soon be public, because their code first ran nearly a year ago."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import DateTime, Select, bindparam, func, select, true
from sqlalchemy.orm import Session, aliased

from jobserver.models import JobRequest, Org, Project, Repo, Workspace
from jobserver.queries.workspaces import MUST_BE_PUBLIC_AFTER, PRIVATE_FOR_LONG
from jobserver.security.identity import Identity

LOOKED_AT = 100


@dataclass(frozen=True)
class PrivateRepo:
    """A private repository of my projects whose code first ran so long ago that it must become public."""

    url: str
    first_ran_at: datetime
    org_slug: str
    project_slug: str
    workspace: str

    @property
    def name(self) -> str:
        """The repository without its host and owner."""
        return self.url.rsplit("/", 1)[-1]

    @property
    def owner(self) -> str:
        """Whose it is at GitHub."""
        return self.url.split("/")[3]

    @property
    def path(self) -> tuple[str, str, str]:
        """The names that lead to a workspace of mine that uses it."""
        return (self.org_slug, self.project_slug, self.workspace)

    @property
    def due_at(self) -> datetime:
        """When it must be public."""
        return self.first_ran_at + MUST_BE_PUBLIC_AFTER


def private_repos(db: Session, identity: Identity, now: datetime) -> list[PrivateRepo]:
    """The private repositories of my workspaces in use whose code first ran 11 months ago or earlier.

    Measured by the repository, whichever project's workspace ran first (spec: pages 30.2 no. 26). One that
    a researcher has signed off waits for others.
    """
    values = {"projects": list(identity.project_roles), "before": now - PRIVATE_FOR_LONG}
    found: dict[str, PrivateRepo] = {}
    for row in db.execute(_statement(), values):
        found.setdefault(row[0], PrivateRepo(*row))
    return list(found.values())


@cache
def _statement() -> Select[Any]:
    """Made once: to make it takes longer than to run it."""
    mine, any_workspace = Workspace, aliased(Workspace)
    first = (
        select(func.coalesce(JobRequest.started_at, JobRequest.created_at).label("at"))
        .where(
            JobRequest.workspace_id == any_workspace.id,
            JobRequest.jobs_total > 0,
        )
        .order_by(JobRequest.id)
        .limit(1)
        .lateral("first")
    )
    first_ran_at = (
        select(func.min(first.c.at))
        .select_from(any_workspace)
        .join(first, true())
        .where(any_workspace.repo_id == Repo.id)
        .correlate(Repo)
        .lateral("ran")
    )
    at = first_ran_at.c[0]
    return (
        select(Repo.url, at, Org.slug, Project.slug, mine.name)
        .join(mine, mine.repo_id == Repo.id)
        .join(Project, Project.id == mine.project_id)
        .join(Org, Org.id == Project.org_id)
        .join(first_ran_at, true())
        .where(
            mine.project_id.in_(bindparam("projects", expanding=True)),
            ~mine.is_archived,
            Repo.is_private.is_(True),
            Repo.researcher_signed_off_at.is_(None),
            at < bindparam("before", type_=DateTime(timezone=True)),
        )
        .order_by(at, Repo.id, mine.id)
        .limit(LOOKED_AT)
    )
