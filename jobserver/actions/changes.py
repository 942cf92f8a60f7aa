"""Editing a thing: only what differs is written, and the audit event says what was and what became of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from jobserver.actions.audit import Actor, record
from jobserver.actions.users import Person
from jobserver.actions.versions import check_version, version_of
from jobserver.models import AuditType, Base, User, utcnow


def edit(
    db: Session,
    thing: Base,
    wanted: Mapping[str, Any],
    type_: AuditType,
    *,
    by: Person,
    seen: str | None = None,
    also: Mapping[str, tuple[Any, Any]] | None = None,
    words: Mapping[str, tuple[str, str]] | None = None,
    reason: str = "",
    parent: Base | None = None,
    target_user: User | None = None,
) -> bool:
    """Give the thing's columns these values; returns whether that changed anything.

    ``seen`` is the :func:`version` of these columns that the person saw; it may differ only if nothing would
    change. ``also`` are changes that the caller has made beside, ``words`` what the event says in place of
    values that say nothing, such as ids. Raises :class:`~jobserver.actions.versions.ChangedMeanwhile`.
    """
    db.flush()
    db.refresh(thing, [*wanted], with_for_update=True)
    old = {name: getattr(thing, name) for name in wanted}
    differing = {name: value for name, value in wanted.items() if value != old[name]}
    if not differing and not also:
        return False
    if seen is not None:
        check_version(seen, *map(_text, old.values()))
    for name, value in differing.items():
        setattr(thing, name, value)
    _touch(thing, by)
    written = {name: (plain(old[name]), plain(value)) for name, value in differing.items()}
    named = {name: both for name, both in (words or {}).items() if name in differing}
    changes = {**written, **named, **(also or {})}
    db.flush()
    record(
        db, type_, by=by, target=thing, parent=parent, target_user=target_user, changes=changes, reason=reason
    )
    return True


def version(thing: Base, *names: str) -> str:
    """What tells these columns' values, as they are, from others: see :func:`edit`."""
    return version_of(*[_text(getattr(thing, name)) for name in names])


def _touch(thing: Any, by: Person) -> None:
    if hasattr(thing, "updated_at"):
        thing.updated_at = utcnow()
    if hasattr(thing, "updated_by_id"):
        thing.updated_by_id = Actor.of(by).user_id


def plain(value: Any) -> Any:
    """The value as an audit event holds it, in JSON."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="minutes")
    return value if value is None or isinstance(value, str | bool | int | list) else str(value)


def _text(value: Any) -> str:
    return repr(plain(value))
