"""Level 4: who somebody is to a backend, and what they may see there (spec: airlock 3)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Boolean, Select, String, bindparam, false, func, literal, or_, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session

from jobserver.models import (
    AuditableEvent,
    AuditType,
    Backend,
    BackendMembership,
    GithubIdentity,
    Org,
    Project,
    ProjectCollaboration,
    ProjectMembership,
    ProjectStatus,
    Role,
    User,
    Workspace,
)
from jobserver.models.choices import GLOBAL_ROLES, PROJECT_ROLES
from jobserver.security import roles, sessions
from jobserver.security.permissions import Permission

# Wrong logins of a backend older than this are forgotten.
MEMORY = timedelta(minutes=15)
ONGOING = frozenset({ProjectStatus.ONGOING, ProjectStatus.ONGOING_AND_LINKED})


class Obstacle(StrEnum):
    """Why somebody cannot use Level 4 of a backend, for logs."""

    UNKNOWN = "unknown user"
    DISABLED = "disabled user"
    NO_GITHUB = "no linked GitHub account"
    NO_ACCESS = "no access to this backend"


@dataclass(frozen=True)
class Person:
    """Somebody as a backend sees them."""

    user: User
    uses_github: bool
    has_access: bool

    @property
    def obstacle(self) -> Obstacle | None:
        """What keeps them out; None if nothing does."""
        if self.user.disabled_at is not None:
            return Obstacle.DISABLED
        if not self.uses_github:
            return Obstacle.NO_GITHUB
        return None if self.has_access else Obstacle.NO_ACCESS


@dataclass(frozen=True)
class Attempt:
    """Somebody who wants to sign in, if they are known, and how often that failed at the backend lately."""

    person: Person | None
    failures: int


def person_named(db: Session, username: str, backend_id: int) -> Person | None:
    """The person of exactly this username, as the backend sees them; None if there is none."""
    row = db.execute(_PERSON, {"wanted_name": username, "calling": backend_id}).one_or_none()
    return Person(*row) if row else None


def attempt(db: Session, name: str, backend_id: int, now: datetime) -> Attempt:
    """Whoever has this username or, if nobody has, this email address; one statement, found or not."""
    values = {
        "wanted_name": name,
        "calling": backend_id,
        "calling_key": str(backend_id),
        "remembered": now - MEMORY,
    }
    row = db.execute(_ATTEMPT, values).one()
    return Attempt(Person(*row[1:]) if row[1] else None, row[0])


@dataclass(frozen=True)
class StoredToken:
    """When somebody's token ends, None without one; and how many wrong tries it has seen."""

    expires_at: datetime | None
    failures: int


def stored_token(db: Session, user_id: int) -> StoredToken:
    """What there is to know about somebody's token, or about the one that wrong tries have ended."""
    columns = (User.login_token_expires_at, User.login_token_failures)
    return StoredToken(*db.execute(select(*columns).where(User.id == user_id)).one())


def permissions(db: Session, user: User) -> dict[str, Any]:
    """The answer of both Level 4 addresses (spec: airlock 3.4), by one statement however much there is."""
    held = set(roles.known(user.roles))
    sees_all = bool(held & _granting(Permission.UNRELEASED_OUTPUTS_VIEW, GLOBAL_ROLES))
    workspaces: dict[str, Any] = {}
    copiloted: dict[str, Any] = {}
    for row in db.execute(_WORKSPACES, {"person": user.id, "sees_all": sees_all}):
        details = {"name": row.project, "ongoing": row.status in ONGOING, "orgs": row.orgs or []}
        described = {"project_details": details, "archived": row.is_archived}
        if row.is_permitted:
            workspaces[row.name] = described
        if row.is_copiloted:
            copiloted[row.name] = described
    return {
        "username": user.username,
        "fullname": user.fullname,
        "workspaces": workspaces,
        "copiloted_workspaces": copiloted,
        "output_checker": Role.OUTPUT_CHECKER in held,
        "readonly_access": bool(held & _granting(Permission.AIRLOCK_READONLY_ACCESS, GLOBAL_ROLES)),
    }


def _granting(permission: Permission, among: tuple[Role, ...]) -> set[Role]:
    return set(roles.roles_granting(permission, among))


# The statements are made once: Airlock asks with each page view.

_NAME = bindparam("wanted_name", type_=String)
_HAS_NAME = sessions.has_name(_NAME)
_STANDING = (
    select(GithubIdentity.id).where(GithubIdentity.user_id == User.id).exists(),
    select(BackendMembership.id)
    .where(
        BackendMembership.user_id == User.id,
        BackendMembership.backend_id == bindparam("calling"),
        sessions.goes_on(BackendMembership),
    )
    .exists(),
)
_PERSON = select(User, *_STANDING).where(_HAS_NAME)


def _attempt() -> Select[Any]:
    lately = (
        select(func.count().label("failures"))
        .where(
            AuditableEvent.created_at > bindparam("remembered"),
            AuditableEvent.type == AuditType.LEVEL4_LOGIN_FAILED,
            AuditableEvent.parent_model == f"jobserver.{Backend.__name__}",
            AuditableEvent.parent_id == bindparam("calling_key"),
        )
        .subquery()
    )
    return (
        select(lately.c.failures, User, *_STANDING)
        .select_from(lately)
        .outerjoin(User, or_(_HAS_NAME, func.lower(User.email) == func.lower(_NAME)))
        .order_by(_HAS_NAME.desc())
        .limit(1)
    )


def _workspaces() -> Select[Any]:
    by_name = aggregate_order_by(Org.name, (Org.id == Project.org_id).desc(), func.lower(Org.name), Org.name)
    orgs = (
        select(func.array_agg(by_name))
        .join(ProjectCollaboration, ProjectCollaboration.org_id == Org.id)
        .where(ProjectCollaboration.project_id == Project.id)
        .scalar_subquery()
    )
    granting = sorted(_granting(Permission.UNRELEASED_OUTPUTS_VIEW, PROJECT_ROLES))
    by_role = ProjectMembership.roles.bool_op("&&")(literal(granting, ProjectMembership.roles.type))
    permitted = select(ProjectMembership.project_id).where(
        ProjectMembership.user_id == bindparam("person"),
        sessions.goes_on(ProjectMembership),
        or_(bindparam("sees_all", type_=Boolean), by_role),
    )
    is_permitted = Project.id.in_(permitted)
    is_copiloted = func.coalesce(Project.copilot_id == bindparam("person"), false())
    # Made once for each project, not once for each of its workspaces.
    projects = (
        select(
            Project.id,
            Project.name.label("project"),
            Project.status,
            orgs.label("orgs"),
            is_permitted.label("is_permitted"),
            is_copiloted.label("is_copiloted"),
        )
        .where(or_(is_permitted, Project.copilot_id == bindparam("person")))
        .cte("projects")
        .prefix_with("MATERIALIZED")
    )
    return (
        select(Workspace.name, Workspace.is_archived, *[each for each in projects.c if each.name != "id"])
        .join(projects, projects.c.id == Workspace.project_id)
        .order_by(func.lower(Workspace.name))
    )


_ATTEMPT, _WORKSPACES = _attempt(), _workspaces()
