"""Co-pilots: who may be one, and whose support ends (spec: domain 3.1, staff 16)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Text, cast, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from jobserver.models import Project, User
from jobserver.security.permissions import Permission
from jobserver.security.roles import roles_granting


@dataclass(frozen=True)
class Ending:
    """A project whose support ends."""

    slug: str
    name: str
    ends_at: datetime


def possible(db: Session, *, also: int | None = None) -> Sequence[User]:
    """Who may be chosen, by name: those who run the staff area, and the one of id ``also``."""
    wanted = [role.value for role in roles_granting(Permission.STAFF_AREA_ACCESS)]
    may = User.disabled_at.is_(None) & cast(User.roles, ARRAY(Text)).overlap(cast(wanted, ARRAY(Text)))
    order = (func.lower(User.fullname), func.lower(User.username))
    return db.scalars(select(User).where(or_(may, User.id == (also or 0))).order_by(*order)).all()


def support_ending(db: Session, first: datetime, last: datetime) -> list[Ending]:
    """The projects whose support ends in this time, the first to end first."""
    statement = (
        select(Project.slug, Project.name, Project.copilot_support_ends_at)
        .where(Project.copilot_support_ends_at.between(first, last))
        .order_by(Project.copilot_support_ends_at, func.lower(Project.name), Project.id)
    )
    return [Ending(slug, name, ends) for slug, name, ends in db.execute(statement) if ends]
