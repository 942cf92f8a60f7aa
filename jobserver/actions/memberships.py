"""Members of projects and their roles there: the only writer of these rows (spec: domain 3.9, 5.2)."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from jobserver.actions.audit import Actor, listed, record
from jobserver.actions.naming import Malformed, Taken
from jobserver.actions.users import Person
from jobserver.models import AuditType, Project, ProjectMembership, Role, User, utcnow
from jobserver.models.choices import PROJECT_ROLES


def find(db: Session, project: Project, user: User) -> ProjectMembership | None:
    """The user's membership of the project, if there is one."""
    return db.scalar(
        select(ProjectMembership).where(
            ProjectMembership.project_id == project.id, ProjectMembership.user_id == user.id
        )
    )


def add(
    db: Session, project: Project, user: User, *, roles: Iterable[Role] = (), by: Person
) -> ProjectMembership:
    """Make the user a member, with or without roles. Raises :class:`Taken` if they are one already."""
    wanted = _checked(roles)
    # Two people adding the same member wait for each other here.
    db.refresh(project, ["id"], with_for_update={"key_share": True})
    if find(db, project, user) is not None:
        raise Taken("user", user.username, "a member of the project already")
    now = utcnow()
    membership = ProjectMembership(
        project_id=project.id,
        user_id=user.id,
        roles=sorted(wanted),
        created_at=now,
        created_by_id=Actor.of(by).user_id,
    )
    db.add(membership)
    db.flush()
    record(
        db,
        AuditType.PROJECT_MEMBER_ADDED,
        by=by,
        target=membership,
        target_user=user,
        parent=project,
        at=now,
    )
    if wanted:
        _record_roles(db, membership, "", listed(wanted), by, now)
    return membership


def update_roles(db: Session, membership: ProjectMembership, roles: Iterable[Role], *, by: Person) -> bool:
    """Give the member exactly these roles; returns whether anything changed."""
    wanted = _checked(roles)
    db.flush()
    db.refresh(membership, ["roles"], with_for_update=True)
    if wanted == set(membership.roles):
        return False
    old = listed(membership.roles)
    membership.roles = sorted(wanted)
    _record_roles(db, membership, old, listed(wanted), by, utcnow())
    return True


def remove(db: Session, membership: ProjectMembership, *, by: Person) -> None:
    """End the membership and its roles."""
    now = utcnow()
    db.flush()
    db.refresh(membership, ["roles"], with_for_update=True)
    if membership.roles:
        _record_roles(db, membership, listed(membership.roles), "", by, now)
    record(
        db,
        AuditType.PROJECT_MEMBER_REMOVED,
        by=by,
        target=membership,
        target_user=db.get_one(User, membership.user_id),
        parent=db.get_one(Project, membership.project_id),
        at=now,
    )
    db.delete(membership)
    db.flush()


def _checked(roles: Iterable[Role]) -> set[Role]:
    wanted = set(roles)
    for role in sorted(wanted - set(PROJECT_ROLES)):
        raise Malformed("roles", f"include {role}, which cannot be given on a project")
    return wanted


def _record_roles(
    db: Session, membership: ProjectMembership, old: str, new: str, by: Person, at: datetime
) -> None:
    record(
        db,
        AuditType.PROJECT_MEMBER_UPDATED_ROLES,
        by=by,
        target=membership,
        target_field="roles",
        target_user=db.get_one(User, membership.user_id),
        parent=db.get_one(Project, membership.project_id),
        old=old,
        new=new,
        at=at,
    )
