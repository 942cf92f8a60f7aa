"""Whom to ask for what one may not do: roles that allow it, and roles that give those."""

from collections.abc import Sequence
from dataclasses import dataclass

from jobserver.models.choices import GLOBAL_ROLES, PROJECT_ROLES, Role
from jobserver.security.identity import Identity
from jobserver.security.permissions import Permission
from jobserver.security.roles import ROLES, roles_granting, session_permissions


@dataclass(frozen=True)
class Need:
    """A role that would allow it, what it is for, and who gives it."""

    role: str
    lets: str
    given_by: str


def needs(permission: Permission, support: str) -> list[Need]:
    """The roles that allow it, project roles first. ``support`` is the address through which to ask."""
    in_project = roles_granting(permission, PROJECT_ROLES)
    everywhere = [role for role in roles_granting(permission, GLOBAL_ROLES) if role not in in_project]
    return [
        Need(
            f"{ROLES[role].name}, for this project",
            ROLES[role].description,
            _through(givers_of_project_roles(), support),
        )
        for role in in_project
    ] + [
        Need(ROLES[role].name, ROLES[role].description, _through(givers_of_the_rest(), support))
        for role in everywhere
    ]


def role_that_allows(identity: Identity | None, permission: Permission, project_id: int) -> str | None:
    """The role by which somebody holds the permission on the project, as people know it; its own first."""
    if identity is None:
        return None
    held = [*identity.project_roles.get(project_id, ()), *identity.roles]
    return next((ROLES[role].name for role in held if permission in session_permissions(role)), None)


def givers_of_project_roles() -> str:
    """Who adds people to projects and gives them roles there."""
    return _either(roles_granting(Permission.USER_EDIT_PROJECT_ROLES))


def givers_of_the_rest() -> str:
    """Who gives roles that count everywhere, backends and organisations."""
    return _either(roles_granting(Permission.USER_MANAGE))


def _either(roles: Sequence[Role]) -> str:
    return "a " + " or ".join(ROLES[role].name for role in roles)


def _through(givers: str, support: str) -> str:
    return f"{givers}, whom you reach at {support}"
