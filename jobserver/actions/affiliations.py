"""Who belongs to an organisation and who may use a backend: two kinds of rows, written alike.

A change writes only what differs, so that it stays known who let whom in and when (spec: staff 17.26).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from jobserver.actions.audit import Actor, record
from jobserver.actions.users import Person
from jobserver.actions.versions import check_version, version_of
from jobserver.models import AuditType, Backend, BackendMembership, Org, OrgMembership, User, utcnow
from jobserver.security.sessions import goes_on
from jobserver.templating.times import last_day

# Why a membership is removed whose end has come.
ENDED = "Its end date was reached."


@dataclass(frozen=True)
class Kind:
    """What people are members of, and what their memberships are called in the audit log."""

    place: type[Org] | type[Backend]
    membership: type[OrgMembership] | type[BackendMembership]
    place_id: str
    added: AuditType
    removed: AuditType
    updated: AuditType

    def of(self, user: User) -> Any:
        """The memberships of this user."""
        return select(self.membership).where(self.membership.user_id == user.id)

    def between(self, place: Org | Backend, user: User) -> Any:
        """The membership of this user in this place."""
        return self.of(user).where(getattr(self.membership, self.place_id) == place.id)


ORGS = Kind(
    Org,
    OrgMembership,
    "org_id",
    AuditType.ORG_MEMBER_ADDED,
    AuditType.ORG_MEMBER_REMOVED,
    AuditType.ORG_MEMBER_UPDATED,
)
BACKENDS = Kind(
    Backend,
    BackendMembership,
    "backend_id",
    AuditType.BACKEND_MEMBER_ADDED,
    AuditType.BACKEND_MEMBER_REMOVED,
    AuditType.BACKEND_MEMBER_UPDATED,
)


def add(
    db: Session,
    kind: Kind,
    place: Org | Backend,
    user: User,
    *,
    by: Person,
    ends_at: datetime | None = None,
    reason: str = "",
) -> bool:
    """Make the user a member until then; returns False, and changes nothing, if they are one already.

    A membership whose end has come counts as none: it begins anew.
    """
    _lock(db, user)
    found = db.scalar(kind.between(place, user))
    if found is not None:
        if found.ends_at is None or found.ends_at > utcnow():
            return False
        remove(db, kind, place, user, by=by, reason=ENDED)
    membership = kind.membership(
        **{kind.place_id: place.id}, user_id=user.id, created_by_id=Actor.of(by).user_id, ends_at=ends_at
    )
    db.add(membership)
    db.flush()
    changes = {"last_day": (None, _plain(ends_at))} if ends_at else None
    _record(db, kind.added, membership, place, user, by, changes, reason)
    return True


def remove(
    db: Session, kind: Kind, place: Org | Backend, user: User, *, by: Person, reason: str = ""
) -> bool:
    """End the membership; returns False if there is none (spec: staff 17.39)."""
    _lock(db, user)
    membership = db.scalar(kind.between(place, user))
    if membership is None:
        return False
    _record(db, kind.removed, membership, place, user, by, None, reason)
    db.delete(membership)
    db.flush()
    return True


def set_end(
    db: Session,
    kind: Kind,
    place: Org | Backend,
    user: User,
    ends_at: datetime | None,
    *,
    by: Person,
    reason: str = "",
) -> bool:
    """Let the membership end then, or never; returns False if there is none, or it ends so already."""
    _lock(db, user)
    membership = db.scalar(kind.between(place, user))
    if membership is None or membership.ends_at == ends_at:
        return False
    changes = {"last_day": (_plain(membership.ends_at), _plain(ends_at))}
    membership.ends_at = ends_at
    db.flush()
    _record(db, kind.updated, membership, place, user, by, changes, reason)
    return True


def set_all(
    db: Session,
    kind: Kind,
    user: User,
    wanted: Mapping[int, datetime | None],
    *,
    by: Person,
    seen: str | None = None,
    reason: str = "",
) -> bool:
    """Make the user a member of exactly these places (ids), each until then; whether anything changed.

    ``seen`` is the :func:`version` that the person saw. Raises
    :class:`~jobserver.actions.versions.ChangedMeanwhile` if it is another now and something is to change.
    """
    _lock(db, user)
    held = ends(db, kind, user)
    if held == wanted:
        return False
    if seen is not None:
        check_version(seen, *_texts(held))
    places: Sequence[Any] = db.scalars(select(kind.place).where(kind.place.id.in_({*held, *wanted}))).all()
    for place in sorted(places, key=lambda each: each.name.lower()):
        if place.id not in wanted:
            remove(db, kind, place, user, by=by, reason=reason)
        elif place.id not in held:
            add(db, kind, place, user, by=by, ends_at=wanted[place.id], reason=reason)
        else:
            set_end(db, kind, place, user, wanted[place.id], by=by, reason=reason)
    return True


def remove_ended(db: Session, kind: Kind, now: datetime, *, by: Person) -> bool:
    """Remove one membership whose end has come; returns False if there is none."""
    row = kind.membership
    due = select(row.id, row.user_id, getattr(row, kind.place_id)).where(row.ends_at <= now)
    for id_, user_id, place_id in db.execute(due.order_by(row.ends_at).limit(10)).all():
        # As everywhere here the user is locked before the row; another worker takes another one.
        whose = select(User).where(User.id == user_id).with_for_update(key_share=True, skip_locked=True)
        user = db.scalar(whose)
        # Meanwhile it may have been removed, or goes on.
        if user is not None and db.scalar(select(row.id).where(row.id == id_, row.ends_at <= now)):
            place: Any = db.get_one(kind.place, place_id)
            return remove(db, kind, place, user, by=by, reason=ENDED)
    return False


def ends(db: Session, kind: Kind, user: User) -> dict[int, datetime | None]:
    """The places (ids) that the user is a member of, and when each membership ends."""
    going_on = kind.of(user).where(goes_on(kind.membership))
    return {getattr(row, kind.place_id): row.ends_at for row in db.scalars(going_on)}


def version(held: Mapping[int, datetime | None]) -> str:
    """What tells these memberships from others: see :func:`set_all`."""
    return version_of(*_texts(held))


def _texts(held: Mapping[int, datetime | None]) -> list[str]:
    return [f"{place_id} {_plain(held[place_id])}" for place_id in sorted(held)]


def _lock(db: Session, user: User) -> None:
    """Whoever changes a user's memberships waits for whoever else does."""
    db.refresh(user, ["id"], with_for_update={"key_share": True})


def _plain(moment: datetime | None) -> str | None:
    return last_day(moment).isoformat() if moment else None


def _record(
    db: Session,
    type_: AuditType,
    membership: Any,
    place: Org | Backend,
    user: User,
    by: Person,
    changes: Mapping[str, tuple[Any, Any]] | None,
    reason: str,
) -> None:
    record(
        db,
        type_,
        by=by,
        target=membership,
        target_user=user,
        parent=place,
        changes=changes,
        reason=reason,
    )
