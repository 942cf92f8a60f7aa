"""Members of projects and their roles there: the only writer of these rows (spec: domain 3.9, 5.2)."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from jobserver.actions.audit import Actor, listed, record
from jobserver.actions.naming import Malformed, Taken
from jobserver.actions.users import Person
from jobserver.actions.versions import check_version, version_of
from jobserver.models import AuditType, Project, ProjectMembership, Role, User, utcnow
from jobserver.models.choices import PROJECT_ROLES
from jobserver.security import sessions
from jobserver.templating.times import last_day

# Why a membership is removed whose end has come.
ENDED = "Its end date was reached."


def find(db: Session, project: Project, user: User) -> ProjectMembership | None:
    """The user's membership of the project, if there is one."""
    return db.scalar(
        select(ProjectMembership).where(
            ProjectMembership.project_id == project.id, ProjectMembership.user_id == user.id
        )
    )


def add(
    db: Session,
    project: Project,
    user: User,
    *,
    roles: Iterable[Role] = (),
    by: Person,
    ends_at: datetime | None = None,
) -> ProjectMembership:
    """Make the user a member until then, with or without roles. :class:`Taken` if they are one already.

    A membership whose end has come counts as none: it begins anew.
    """
    wanted = _checked(roles)
    _lock(db, project)
    found = find(db, project, user)
    if found is not None:
        if found.ends_at is None or found.ends_at > utcnow():
            raise Taken("user", user.username, "a member of the project already")
        remove(db, found, by=by, reason=ENDED)
    now = utcnow()
    membership = ProjectMembership(
        project_id=project.id,
        user_id=user.id,
        roles=sorted(wanted),
        created_at=now,
        created_by_id=Actor.of(by).user_id,
        ends_at=ends_at,
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
        changes={"last_day": (None, _plain(ends_at))} if ends_at else None,
        at=now,
    )
    if wanted:
        _record_roles(db, membership, "", listed(wanted), by, now)
    return membership


def add_all(
    db: Session,
    project: Project,
    users: Sequence[User],
    *,
    roles: Iterable[Role] = (),
    by: Person,
    ends_at: datetime | None = None,
) -> None:
    """Make all of these users members, or none: :class:`Taken` names those who are members already."""
    _lock(db, project)
    mine = (ProjectMembership.project_id == project.id, sessions.goes_on(ProjectMembership))
    ids = [user.id for user in users]
    members = set(
        db.scalars(select(ProjectMembership.user_id).where(*mine, ProjectMembership.user_id.in_(ids)))
    )
    if members:
        names = ", ".join(user.username for user in users if user.id in members)
        raise Taken("users", names, "a member of the project already")
    for user in users:
        add(db, project, user, roles=roles, by=by, ends_at=ends_at)


def set_end(db: Session, membership: ProjectMembership, ends_at: datetime | None, *, by: Person) -> bool:
    """Let the membership end then, or never; returns whether anything changed."""
    if not hold(db, membership) or membership.ends_at == ends_at:
        return False
    changes = {"last_day": (_plain(membership.ends_at), _plain(ends_at))}
    membership.ends_at = ends_at
    record(
        db,
        AuditType.PROJECT_MEMBER_UPDATED,
        by=by,
        target=membership,
        target_user=db.get_one(User, membership.user_id),
        parent=db.get_one(Project, membership.project_id),
        changes=changes,
    )
    return True


def update_roles(
    db: Session, membership: ProjectMembership, roles: Iterable[Role], *, by: Person, reason: str = ""
) -> bool:
    """Give the member exactly these roles; returns whether anything changed."""
    wanted = _checked(roles)
    if not hold(db, membership) or wanted == set(membership.roles):
        return False
    old = listed(membership.roles)
    membership.roles = sorted(wanted)
    _record_roles(db, membership, old, listed(wanted), by, utcnow(), reason)
    return True


def remove(db: Session, membership: ProjectMembership, *, by: Person, reason: str = "") -> bool:
    """End the membership and its roles; returns False if somebody else has just done so."""
    if not hold(db, membership):
        return False
    now = utcnow()
    if membership.roles:
        _record_roles(db, membership, listed(membership.roles), "", by, now, reason)
    record(
        db,
        AuditType.PROJECT_MEMBER_REMOVED,
        by=by,
        target=membership,
        target_user=db.get_one(User, membership.user_id),
        parent=db.get_one(Project, membership.project_id),
        reason=reason,
        at=now,
    )
    db.delete(membership)
    db.flush()
    return True


def hold(db: Session, membership: ProjectMembership) -> bool:
    """Let nobody else change it until the end of the transaction, and read it anew; False if it is gone."""
    db.flush()
    mine = select(ProjectMembership.id).where(ProjectMembership.id == membership.id)
    if db.scalar(mine.with_for_update()) is None:
        return False
    db.refresh(membership, ["roles", "ends_at"])
    return True


def version(membership: ProjectMembership) -> str:
    """What tells the roles and the end of the membership, as they are, from others."""
    return version_of(listed(membership.roles), _plain(membership.ends_at) or "")


def check_seen(membership: ProjectMembership, seen: str) -> None:
    """Raise :class:`~jobserver.actions.versions.ChangedMeanwhile` unless the person saw it as it is.

    The caller holds it (:func:`hold`).
    """
    check_version(seen, listed(membership.roles), _plain(membership.ends_at) or "")


def _lock(db: Session, project: Project) -> None:
    """Two people adding the same member wait for each other here."""
    db.refresh(project, ["id"], with_for_update={"key_share": True})


def _plain(moment: datetime | None) -> str | None:
    return last_day(moment).isoformat() if moment else None


def _checked(roles: Iterable[Role]) -> set[Role]:
    wanted = set(roles)
    for role in sorted(wanted - set(PROJECT_ROLES)):
        raise Malformed("roles", f"include {role}, which cannot be given on a project")
    return wanted


def _record_roles(
    db: Session,
    membership: ProjectMembership,
    old: str,
    new: str,
    by: Person,
    at: datetime,
    reason: str = "",
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
        reason=reason,
        at=at,
    )
