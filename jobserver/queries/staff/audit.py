"""The audit trail as staff read it (spec: staff 8.8, 13.5, 15.3; domain 6)."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from jobserver.models import AuditableEvent, AuditType, User
from jobserver.queries.staff import audit_things as things
from jobserver.queries.staff.audit_things import Found
from jobserver.security import roles
from jobserver.templating.times import exact
from jobserver.templating.trail import Event, Line, Ref
from jobserver.templating.trail_kinds import kind_of

RECENT = 5
LONGEST = 300
# Lists in "old" and "new", whose items are parted by commas.
_LISTS = {AuditType.JOB_REQUEST_CREATED, AuditType.JOB_REQUEST_CANCELLED, AuditType.SNAPSHOT_FILES_REMOVED}
# Known by number: what they were labelled says nothing to people.
_NUMBERED = {"JobRequest": "request", "Release": "release", "Snapshot": "snapshot"}
_WORDS = {
    "fullname": "Full name",
    "is_archived": "Archived",
    "should_notify": "Emails",
    "copilot_id": "Co-pilot",
    "org_id": "Lead organisation",
    "project_id": "Project",
    "orgs": "Organisations",
    "github_orgs": "GitHub organisations",
    "ends_at": "Ends",
    "starts_at": "Starts",
}
_ROLES = {role.value: info.name for role, info in roles.ROLES.items()}

_MOMENT = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?\+00:00")

E = AuditableEvent


def recent(db: Session, target_model: str, target_id: int | str, limit: int = RECENT) -> list[Event]:
    """The newest events about a thing, or about what belongs to it; by its kind, such as ``Project``."""
    model, key = f"jobserver.{target_model}", str(target_id)
    return _newest(
        db,
        select(E.id).where(E.target_model == model, E.target_id == key),
        select(E.id).where(E.parent_model == model, E.parent_id == key),
        limit=limit,
    )


def recent_of_user(db: Session, user: User, limit: int = RECENT) -> list[Event]:
    """The newest events of what the person did, and of what was done to their account."""
    return _newest(
        db,
        select(E.id).where(E.created_by == user.username),
        select(E.id).where(E.target_user == user.username),
        limit=limit,
    )


def _newest(db: Session, *each: Select[Any], limit: int) -> list[Event]:
    """Each is read by its own index; both together would be sorted whole."""
    first, *others = [one.order_by(E.id.desc()).limit(limit).subquery() for one in each]
    ids = select(first.c.id).union(*[select(other.c.id) for other in others])
    return told(db, db.scalars(select(E).where(E.id.in_(ids)).order_by(E.id.desc()).limit(limit)).all())


def told(db: Session, rows: Sequence[AuditableEvent]) -> list[Event]:
    """Events as they are shown: one statement finds all that they speak of."""
    found = things.find(db, (key for row in rows for key in _keys(row)))
    return [_told(row, found) for row in rows]


def _kind(model: str) -> str:
    return model.removeprefix("jobserver.")


def _person(name: str, id_: int | None) -> tuple[str, str]:
    return ("User", str(id_)) if id_ is not None else (things.BY_NAME, name)


def _keys(row: AuditableEvent) -> Iterator[tuple[str, str]]:
    yield _person(row.created_by, row.actor_id)
    yield _person(row.target_user, row.target_user_id)
    yield (_kind(row.target_model), row.target_id)
    yield (_kind(row.parent_model), row.parent_id)


def _told(row: AuditableEvent, found: dict[tuple[str, str], Found]) -> Event:
    actor, user, target, parent = _keys(row)
    return Event(
        id=row.id,
        type=row.type,
        at=row.created_at,
        actor=_ref(actor, row.created_by, found),
        user=_ref(user, row.target_user, found),
        target=_ref(target, row.target_label, found),
        parent=_ref(parent, row.parent_label, found),
        lines=list(_lines(row)),
        reason=row.reason,
        source=row.source,
    )


def _ref(key: tuple[str, str], label: str, found: dict[tuple[str, str], Found]) -> Ref:
    kind, id_ = key
    if kind in _NUMBERED and id_:
        label = f"{_NUMBERED[kind]} {id_}"
    now = found.get(key, Found("", ()))
    return Ref("" if kind in {"User", things.BY_NAME} else kind, label, now.label, now.path)


def _lines(row: AuditableEvent) -> Iterator[Line]:
    if row.old or row.new:
        name, old, new = row.target_field, _value(row.old), _value(row.new)
        if name == "roles" or row.type in _LISTS:
            old, new = row.old.split(",") if row.old else [], row.new.split(",") if row.new else []
        yield _line(name or kind_of(row.type).value, old, new)
    for name, both in row.changes.items():
        if isinstance(both, list) and len(both) == 2:
            yield _line(name, *both)


def _line(name: str, old: Any, new: Any) -> Line:
    before, after = list(_texts(old, name)), list(_texts(new, name))
    return Line(
        _WORDS.get(name) or name.removesuffix("_id").replace("_", " ").capitalize(),
        [each for each in before if each not in after],
        [each for each in after if each not in before],
    )


def _value(text: str) -> Any:
    return {"True": True, "False": False, "None": None}.get(text, text)


def _texts(value: Any, name: str) -> Iterator[str]:
    values: Iterable[Any] = value if isinstance(value, list) else [value]
    for each in values:
        if isinstance(each, bool):
            yield "yes" if each else "no"
        elif each is not None and each != "":
            text = _moment(str(each))
            if name == "roles":
                text = _ROLES.get(text.rsplit(".", 1)[-1], text)
            yield text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _moment(text: str) -> str:
    """A moment as people read it; any other text as it is."""
    return exact(datetime.fromisoformat(text)) if _MOMENT.fullmatch(text) else text
