"""The access lists of the tree, made from the role table (spec: access 7.3).

Each resource adds only what its own level grants; Pyramid walks from the resource to the
root. Nothing is denied: the end of the lineage denies.
"""

from collections.abc import Iterable

from pyramid.authorization import Allow, Authenticated, Everyone

from jobserver.models.choices import GLOBAL_ROLES, PROJECT_ROLES
from jobserver.security import roles

Entry = tuple[str, str, list[str]]


def _allow(principal: str, permissions: Iterable[str]) -> Entry:
    return (Allow, principal, sorted(permissions))


ROOT: list[Entry] = [
    _allow(Everyone, roles.ANYONE),
    _allow(Authenticated, roles.SIGNED_IN),
    _allow("any-role", roles.ANY_ROLE),
    *[_allow(f"role:{role}", roles.session_permissions(role)) for role in GLOBAL_ROLES],
]


def project(project_id: int, org_ids: Iterable[int]) -> list[Entry]:
    """What a project adds: its members, and the members of all its organisations."""
    return [
        *[_allow(f"project:{project_id}:{role}", roles.session_permissions(role)) for role in PROJECT_ROLES],
        _allow(f"project:{project_id}:member", roles.MEMBER),
        *[_allow(f"org:{org_id}:member", roles.ORG_MEMBER) for org_id in sorted(org_ids)],
    ]


def job_request(created_by_id: int) -> list[Entry]:
    """What a job request adds: its creator may cancel it, whatever became of their roles."""
    return [_allow(f"user:{created_by_id}", roles.CREATOR_OF_JOB_REQUEST)]
