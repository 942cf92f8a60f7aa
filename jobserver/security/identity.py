"""Who a caller is: a detached record, loaded by one statement, and the principals it stands for."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pyramid.authorization import Authenticated, Everyone

from jobserver.models.choices import Role


@dataclass(frozen=True)
class BackendAccess:
    """A backend that a person may use."""

    id: int
    slug: str


@dataclass(frozen=True)
class Identity:
    """A person who is signed in with a browser."""

    user_id: int
    username: str
    fullname: str
    email: str | None = None
    roles: tuple[Role, ...] = ()
    project_roles: Mapping[int, tuple[Role, ...]] = field(default_factory=dict)
    org_ids: frozenset[int] = frozenset()
    backends: tuple[BackendAccess, ...] = ()
    uses_github: bool = False
    session_id: int | None = None

    @property
    def has_any_role(self) -> bool:
        """Whether the person holds a role anywhere; a membership without roles does not count."""
        return bool(self.roles) or any(self.project_roles.values())


def principals(identity: Identity | None) -> set[str]:
    """What the caller stands for in access lists (spec: access 7.1)."""
    if identity is None:
        return {Everyone}
    return {Everyone, Authenticated} | standing(identity)


def standing(identity: Identity) -> set[str]:
    """What the person themselves stands for, whichever way they have come."""
    found = {f"user:{identity.user_id}"}
    found |= {f"role:{role}" for role in identity.roles}
    found |= {f"org:{org_id}:member" for org_id in identity.org_ids}
    for project_id, roles in identity.project_roles.items():
        found.add(f"project:{project_id}:member")
        found |= {f"project:{project_id}:{role}" for role in roles}
    if identity.has_any_role:
        found.add("any-role")
    return found
