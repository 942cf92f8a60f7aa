"""What the staff page of a repository shows (spec: staff 10.2). What GitHub said is stored."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, select
from sqlalchemy.orm import Session, aliased

from jobserver.models import JobRequest, Project, Repo, User, Workspace
from jobserver.queries.staff import runs

# So many workspaces are listed, and people of each.
MOST_WORKSPACES, MOST_USERS = 100, 50


@dataclass(frozen=True)
class Person:
    """Somebody who has to do with it."""

    username: str
    fullname: str
    email: str | None = None

    @property
    def contact(self) -> str:
        """Name and address, as a mail program takes them."""
        return (
            f"{self.fullname} <{self.email}>" if self.fullname and self.email else self.email or self.fullname
        )


@dataclass(frozen=True)
class WorkspaceRow:
    """A workspace of the repository: ``users`` asked for jobs there, its creator is always among them."""

    id: int
    name: str
    is_archived: bool
    project_name: str
    project_slug: str
    creator: Person
    signed_off_at: datetime | None
    signed_off_by: Person | None
    users: list[Person] = field(default_factory=list)
    more_users: int = 0


@dataclass(frozen=True)
class ProjectRow:
    """A project that has a workspace of the repository."""

    slug: str
    name: str
    number: str | None


@dataclass(frozen=True)
class About:
    """When its code ran: in its own workspaces, and in all workspaces of the projects that use it."""

    first_run_at: datetime | None
    last_run_at: datetime | None
    project_first_run_at: datetime | None
    project_last_run_at: datetime | None
    workspaces: int
    signed_off: int
    researcher: Person | None
    internal: Person | None

    @property
    def must_be_public_at(self) -> datetime | None:
        """Twelve calendar months after the first run of its own workspaces."""
        return a_year_after(self.first_run_at) if self.first_run_at else None


def a_year_after(moment: datetime) -> datetime:
    """The same day and time of the next year; of 29 February, the 28th."""
    day = 28 if (moment.month, moment.day) == (2, 29) else moment.day
    return moment.replace(year=moment.year + 1, day=day)


def about(db: Session, repo: Repo) -> About:
    """All facts of the repository, by one statement."""
    facts: tuple[Any, ...] = tuple(db.execute(_facts(), {"repo_id": repo.id}).one())
    people = (_person(*facts[6:8]), _person(*facts[8:]))
    return About(*(*facts[:6], *people))


@cache
def _facts() -> Select[*tuple[Any, ...]]:
    """Made once: to make it takes longer than to run it."""
    researcher, internal = aliased(User), aliased(User)
    mine = Workspace.repo_id == Repo.id
    workspaces = select(func.count()).where(mine).correlate(Repo).scalar_subquery()
    signed_off = select(func.count(Workspace.signed_off_at)).where(mine).correlate(Repo).scalar_subquery()
    projects = select(Workspace.project_id).where(Workspace.repo_id == bindparam("repo_id"))

    def of_repo(workspace: Any) -> ColumnElement[bool]:
        found: ColumnElement[bool] = workspace.repo_id == Repo.id
        return found

    def of_projects(workspace: Any) -> ColumnElement[bool]:
        found: ColumnElement[bool] = workspace.project_id.in_(projects)
        return found

    return (
        select(
            runs.first_run(of_repo, Repo),
            runs.last_run(of_repo, Repo),
            runs.first_run(of_projects, Repo),
            runs.last_run(of_projects, Repo),
            workspaces,
            signed_off,
            researcher.username,
            researcher.fullname,
            internal.username,
            internal.fullname,
        )
        .select_from(Repo)
        .outerjoin(researcher, researcher.id == Repo.researcher_signed_off_by_id)
        .outerjoin(internal, internal.id == Repo.internal_signed_off_by_id)
        .where(Repo.id == bindparam("repo_id"))
    )


def projects(db: Session, repo_id: int) -> list[ProjectRow]:
    """The projects that use it, by name."""
    used = select(Workspace.project_id).where(Workspace.repo_id == repo_id)
    order = (func.lower(Project.name), Project.id)
    rows = db.execute(
        select(Project.slug, Project.name, Project.number).where(Project.id.in_(used)).order_by(*order)
    )
    return [ProjectRow(*row) for row in rows]


def contacts(db: Session, repo_id: int) -> list[Person]:
    """Who made its workspaces, each once, by name."""
    creators = select(Workspace.created_by_id).where(Workspace.repo_id == repo_id)
    order = (func.lower(User.fullname), func.lower(User.username))
    rows = db.execute(
        select(User.username, User.fullname, User.email)
        .where(User.id.in_(creators))
        .order_by(*order)
        .limit(MOST_USERS)
    )
    return [Person(*row) for row in rows]


def workspaces(db: Session, repo_id: int) -> list[WorkspaceRow]:
    """Its workspaces by name, with who uses each."""
    creator, signer = aliased(User), aliased(User)
    rows = db.execute(
        select(
            Workspace.id,
            Workspace.name,
            Workspace.is_archived,
            Project.name,
            Project.slug,
            creator.username,
            creator.fullname,
            Workspace.signed_off_at,
            signer.username,
            signer.fullname,
        )
        .join(Project, Project.id == Workspace.project_id)
        .join(creator, creator.id == Workspace.created_by_id)
        .outerjoin(signer, signer.id == Workspace.signed_off_by_id)
        .where(Workspace.repo_id == repo_id)
        .order_by(func.lower(Workspace.name))
        .limit(MOST_WORKSPACES)
    ).all()
    users = _users(db, [row[0] for row in rows])
    found = []
    for row in rows:
        made_by = Person(*row[5:7])
        ran = users.get(row[0], [])
        known = ran if made_by.username in {each.username for each in ran} else [made_by, *ran]
        listed, more = known[:MOST_USERS], max(0, len(known) - MOST_USERS)
        found.append(WorkspaceRow(*row[:5], made_by, row[7], _person(*row[8:10]), listed, more))
    return found


def _users(db: Session, workspace_ids: Sequence[int]) -> dict[int, list[Person]]:
    """Who asked for jobs in each workspace, by name."""
    asked = (
        select(JobRequest.workspace_id, JobRequest.created_by_id)
        .where(JobRequest.workspace_id.in_(workspace_ids))
        .distinct()
        .subquery()
    )
    order = (func.lower(User.fullname), func.lower(User.username))
    rows = db.execute(
        select(asked.c.workspace_id, User.username, User.fullname)
        .join(User, User.id == asked.c.created_by_id)
        .order_by(*order)
    )
    found: dict[int, list[Person]] = {}
    for workspace_id, username, fullname in rows:
        found.setdefault(workspace_id, []).append(Person(username, fullname))
    return found


def _person(username: str | None, fullname: str | None) -> Person | None:
    return Person(username, fullname or username) if username else None
