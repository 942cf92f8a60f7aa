"""What the access lists of the tree say about a resource: read from its lineage, where they decide."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pyramid.authorization import ACLAllowed, ACLHelper, Allow
from pyramid.location import lineage

from jobserver.security import identity
from jobserver.security.callers import BackendCaller, ThroughBackend, TokenCaller
from jobserver.security.identity import Identity
from jobserver.security.permissions import Permission

_ACL = ACLHelper()


@dataclass(frozen=True)
class Entry:
    """An entry of an access list that allows something: to whom, and the resource whose list it is in."""

    principal: str
    level: Any


def entries(resource: Any, permission: str) -> list[Entry]:
    """The entries that allow it, nearest first; none denies (see :mod:`jobserver.security.acl`)."""
    return [
        Entry(principal, level)
        for level in lineage(resource)
        for action, principal, permissions in level.__acl__
        if action == Allow and permission in permissions
    ]


def permissions(resource: Any) -> list[Permission]:
    """What any entry allows anybody there, in order of the sentences."""
    named = {each for level in lineage(resource) for _, _, allowed in level.__acl__ for each in allowed}
    return sorted((each for each in Permission if each in named), key=lambda each: each.sentence)


def decision(resource: Any, principals: Iterable[str], permission: str) -> Entry | None:
    """The entry that lets a caller who stands for these principals do it; None if none does."""
    found = _ACL.permits(resource, set(principals), permission)
    return Entry(found.ace[1], found.context) if isinstance(found, ACLAllowed) else None


def ways(person: Identity, *, is_disabled: bool) -> dict[str, set[str]]:
    """What the person stands for by each way in which they can call; a closed account is nobody's.

    Of programs only what they may do for this person, not what they may do themselves.
    """
    nobody = identity.principals(None)
    if is_disabled:
        return {"Like anybody": nobody}
    found = {"Signed in": identity.principals(person)}
    for backend in person.backends[:1]:
        caller = BackendCaller(backend.id, backend.slug, backend.slug)
        found["Through a backend"] = ThroughBackend(caller, person).principals - caller.principals
    found["With a personal token"] = TokenCaller(person, token_id=0, use_is_news=False).principals - nobody
    return found
