"""Workspaces, as staff look for them, and the project that one is to be moved to (spec: staff 14)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.orm import Session, joinedload

from jobserver.models import Org, Project, ProjectCollaboration, Release, Repo, Workspace, utcnow
from jobserver.queries.release_pages import late
from jobserver.queries.staff.listing import Filter, Option, Sort, StaffList, contains
from jobserver.queries.staff.projects import identifier_order

SUGGESTED = 10


@dataclass(frozen=True)
class WorkspaceRow:
    """A workspace in the list."""

    id: int
    name: str
    is_archived: bool
    branch: str
    created_at: datetime
    repo_url: str
    project: str
    project_slug: str
    org: str


def _by_org(values: Sequence[str]) -> ColumnElement[bool]:
    chosen = select(Org.id).where(Org.slug.in_(values))
    return exists().where(
        ProjectCollaboration.project_id == Workspace.project_id, ProjectCollaboration.org_id.in_(chosen)
    )


def _by_project(values: Sequence[str]) -> ColumnElement[bool]:
    named = or_(Project.slug.in_(values), Project.number.in_(values))
    return Workspace.project_id.in_(select(Project.id).where(named))


def _orgs(db: Session) -> list[Option]:
    counted = (
        select(ProjectCollaboration.org_id, func.count().label("workspaces"))
        .join(Workspace, Workspace.project_id == ProjectCollaboration.project_id)
        .group_by(ProjectCollaboration.org_id)
        .subquery()
    )
    rows = db.execute(
        select(Org.slug, Org.name, func.coalesce(counted.c.workspaces, 0))
        .outerjoin(counted, counted.c.org_id == Org.id)
        .order_by(func.lower(Org.name), Org.id)
    )
    return [Option(*row) for row in rows]


def _by_state(values: Sequence[str]) -> ColumnElement[bool]:
    return Workspace.is_archived.in_([value == "archived" for value in values])


def _lacks_files(_values: Sequence[str]) -> ColumnElement[bool]:
    return Workspace.id.in_(select(Release.workspace_id).where(late(utcnow())))


def _lacking(_db: Session) -> list[Option]:
    return [Option("late", "Not all have come")]


def _states(db: Session) -> list[Option]:
    counted = db.execute(select(Workspace.is_archived, func.count()).group_by(Workspace.is_archived))
    found: dict[bool, int] = {row[0]: row[1] for row in counted}
    return [
        Option("active", "Active", found.get(False, 0)),
        Option("archived", "Archived", found.get(True, 0)),
    ]


WORKSPACES: StaffList[WorkspaceRow] = StaffList(
    noun=("workspace",),
    id_column=Workspace.id,
    columns=select(
        Workspace.id,
        Workspace.name,
        Workspace.is_archived,
        Workspace.branch,
        Workspace.created_at,
        Repo.url,
        Project.name,
        Project.slug,
        Org.name,
    )
    .join(Repo, Repo.id == Workspace.repo_id)
    .join(Project, Project.id == Workspace.project_id)
    .join(Org, Org.id == Project.org_id),
    make=WorkspaceRow,
    sorts=(
        Sort("name", "Name", (func.lower(Workspace.name),)),
        Sort("newest", "Newest first", (Workspace.created_at,), descending=True),
    ),
    header=("name", "project", "lead organisation", "repository", "branch", "archived", "created"),
    cells=lambda row: (
        row.name,
        row.project_slug,
        row.org,
        row.repo_url,
        row.branch,
        "yes" if row.is_archived else "no",
        row.created_at,
    ),
    search=lambda q: or_(
        contains(q, Workspace.name),
        Workspace.repo_id.in_(select(Repo.id).where(contains(q, Repo.url))),
    ),
    search_label="Name or repository",
    filters=(
        Filter("orgs", "Organisation", _by_org, _orgs),
        Filter("state", "State", _by_state, _states),
        Filter("files", "Released files", _lacks_files, _lacking),
        Filter("projects", "Project", _by_project, hint="Its slug or number"),
    ),
)


def project_called(db: Session, slug_or_number: str) -> Project | None:
    """The project of just this slug or number, with its lead organisation."""
    named = or_(Project.slug == slug_or_number, Project.number == slug_or_number)
    best = (Project.slug == slug_or_number).desc()
    return db.scalar(select(Project).where(named).order_by(best).options(joinedload(Project.org)).limit(1))


def projects_like(db: Session, q: str) -> list[Project]:
    """A few projects with this in their name, slug or number."""
    found = contains(q, Project.name, Project.slug, func.coalesce(Project.number, ""))
    statement = select(Project).where(found).order_by(*identifier_order()).limit(SUGGESTED)
    return list(db.scalars(statement))
