"""Taking every role away from somebody at once (spec: access 1.6)."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from jobserver.actions import memberships, users
from jobserver.actions.users import Person
from jobserver.models import ProjectMembership, User


def clear(db: Session, user: User, *, by: Person, in_projects: bool, reason: str = "") -> int:
    """Take the user's global roles, and ``in_projects`` those of every membership, which stays.

    Returns how many lists changed. ``in_projects`` is for whoever may edit members (spec: access 8.4 no. 40).
    Raises :class:`~jobserver.actions.administrators.LastAdministrator`.
    """
    changed = int(users.set_global_roles(db, user, [], by=by, reason=reason))
    if not in_projects:
        return changed
    theirs = select(ProjectMembership).where(ProjectMembership.user_id == user.id)
    for membership in db.scalars(theirs.order_by(ProjectMembership.id)).all():
        changed += memberships.update_roles(db, membership, [], by=by, reason=reason)
    return changed
