"""The one way to write an audit event: in the transaction of the change it records."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from jobserver.models import AuditableEvent, AuditSource, AuditType, Base, User, utcnow
from jobserver.security.identity import Identity


@dataclass(frozen=True)
class Actor:
    """Who acts: a person, or an operator at a server's shell (who has no id)."""

    username: str
    user_id: int | None = None

    @classmethod
    def of(cls, someone: "User | Identity | Actor") -> "Actor":
        """The actor behind a user, an identity or an actor."""
        if isinstance(someone, Actor):
            return someone
        if isinstance(someone, Identity):
            return cls(someone.username, someone.user_id)
        return cls(someone.username, someone.id)


def id_of(person: User | Identity) -> int:
    """The user id of a person who acts."""
    return person.user_id if isinstance(person, Identity) else person.id


OPERATOR = Actor("operator's command")
# What happens by itself, because its time has come.
SERVICE = Actor("the service")


def record(
    db: Session,
    type_: AuditType,
    *,
    by: Actor | User | Identity,
    target: Base | None = None,
    target_field: str = "",
    target_user: User | None = None,
    parent: Base | None = None,
    old: str = "",
    new: str = "",
    changes: Mapping[str, tuple[Any, Any]] | None = None,
    reason: str = "",
    at: datetime | None = None,
    label: str = "",
) -> None:
    """Record a change (spec: domain 6.1). The target must have its id: flush first.

    ``changes``: for each field what it was and what it became, as JSON; ``reason``: what the actor gave as
    one; ``label``: what a target without a name is called. What the change was made by is what the session
    says it is for, see :mod:`jobserver.db`.
    """
    actor = Actor.of(by)
    db.add(
        AuditableEvent(
            type=type_,
            target_model=_label(target),
            target_id=_key(target),
            target_field=target_field,
            target_user=target_user.username if target_user else "",
            target_user_id=target_user.id if target_user else None,
            parent_model=_label(parent),
            parent_id=_key(parent),
            old=old,
            new=new,
            created_at=at or utcnow(),
            created_by=actor.username,
            actor_id=actor.user_id,
            target_label=label or label_of(target),
            parent_label=label_of(parent),
            changes={field: list(both) for field, both in (changes or {}).items()},
            reason=reason,
            source=db.info.get("source", AuditSource.SERVICE),
        )
    )


def listed(names: Iterable[str]) -> str:
    """Names as an event holds them: sorted, each once, with commas."""
    return ",".join(sorted(set(names)))


def label_of(thing: Base | None) -> str:
    """What people call the thing, which an event keeps: names change and things go."""
    for attribute in ("title", "username", "name", "url", "old_url", "identifier", "message"):
        value = getattr(thing, attribute, None)
        if value:
            return str(value)[:255]
    return ""


def _label(thing: Base | None) -> str:
    return f"jobserver.{type(thing).__name__}" if thing is not None else ""


def _key(thing: Base | None) -> str:
    return str(thing.id) if thing is not None else ""  # type: ignore[attr-defined]
