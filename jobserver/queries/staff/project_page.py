"""What staff see of a project, and what they may choose for it (spec: staff 8.3 to 8.7)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Integer, cast, func, select
from sqlalchemy.orm import Session, aliased

from jobserver.models import (
    GithubIdentity,
    Org,
    Project,
    ProjectMembership,
    Redirect,
    TaskRecord,
    User,
    Workspace,
)
from jobserver.queue import Task
from jobserver.security import roles
from jobserver.security.sessions import goes_on
from jobserver.templating.times import last_day

MOST_MEMBERS, MOST_WORKSPACES = 500, 100


@dataclass(frozen=True)
class MemberRow:
    """Somebody who belongs to the project, until then if that is set."""

    id: int
    username: str
    fullname: str
    roles: list[str]
    created_at: datetime
    ends_at: datetime | None
    added_by: str | None

    @property
    def until(self) -> str:
        """The last day of the membership, empty if it has none."""
        if self.ends_at is None:
            return ""
        last = last_day(self.ends_at)
        return f"{last.day} {last:%b %Y}"

    @property
    def role_names(self) -> list[str]:
        """Roles on the project, as people know them."""
        return [roles.ROLES[role].name for role in sorted(roles.known(self.roles))]


@dataclass(frozen=True)
class People:
    """Whom a project names."""

    author: User
    copilot: User | None


@dataclass(frozen=True)
class WorkspaceRow:
    """A workspace of the project."""

    name: str
    is_archived: bool


def people(db: Session, project: Project) -> People:
    """Who made the project, and who helps it."""
    copilot = aliased(User)
    row = db.execute(
        select(User, copilot)
        .select_from(Project)
        .join(User, User.id == Project.created_by_id)
        .outerjoin(copilot, copilot.id == Project.copilot_id)
        .where(Project.id == project.id)
    ).one()
    return People(*row)


def is_announced(db: Session, project: Project) -> bool:
    """Whether the co-pilots' channel was told of the project, or is going to be."""
    key = f"{Task.ANNOUNCE_PROJECT.value}:{project.id}"
    return db.scalar(select(TaskRecord.id).where(TaskRecord.key == key)) is not None


def members(db: Session, project_id: int) -> list[MemberRow]:
    """The members by username; those whose end has come are members no more."""
    added_by = aliased(User)
    statement = (
        select(
            ProjectMembership.id,
            User.username,
            User.fullname,
            ProjectMembership.roles,
            ProjectMembership.created_at,
            ProjectMembership.ends_at,
            added_by.username,
        )
        .join(User, User.id == ProjectMembership.user_id)
        .outerjoin(added_by, added_by.id == ProjectMembership.created_by_id)
        .where(ProjectMembership.project_id == project_id, goes_on(ProjectMembership))
        .order_by(func.lower(User.username))
        .limit(MOST_MEMBERS)
    )
    return [MemberRow(*row) for row in db.execute(statement)]


def workspaces(db: Session, project_id: int) -> list[WorkspaceRow]:
    """The first workspaces by name."""
    statement = (
        select(Workspace.name, Workspace.is_archived)
        .where(Workspace.project_id == project_id)
        .order_by(func.lower(Workspace.name), Workspace.id)
        .limit(MOST_WORKSPACES)
    )
    return [WorkspaceRow(*row) for row in db.execute(statement)]


def redirects(db: Session, project_id: int) -> Sequence[Redirect]:
    """The old addresses that lead to the project, or did until they expired."""
    mine = (Redirect.project_id == project_id, Redirect.deleted_at.is_(None))
    return db.scalars(select(Redirect).where(*mine).order_by(Redirect.old_url, Redirect.id)).all()


def all_orgs(db: Session) -> Sequence[Org]:
    """Every organisation, by name."""
    return db.scalars(select(Org).order_by(func.lower(Org.name), Org.id)).all()


def next_number(db: Session) -> int:
    """The plain number after the highest there is (spec: domain 3.7)."""
    highest = func.max(cast(Project.number, Integer))
    return (db.scalar(select(highest).where(Project.number.regexp_match("^[0-9]+$"))) or 0) + 1


def github_login(db: Session, user_id: int) -> str:
    """The person's name on GitHub, empty for those who do not sign in with it."""
    logins = select(GithubIdentity.login).where(GithubIdentity.user_id == user_id)
    return db.scalar(logins.order_by(GithubIdentity.id).limit(1)) or ""


def users_named(db: Session, usernames: Sequence[str]) -> dict[str, User]:
    """The people of these usernames, in whatever case, by their names in lower case."""
    wanted = {name.lower() for name in usernames}
    found = db.scalars(select(User).where(func.lower(User.username).in_(wanted)))
    return {user.username.lower(): user for user in found}
