"""The access lists of the tree, made from the role table (spec: access 7.3).

Each resource adds only what its own level grants; Pyramid walks from the resource to the
root. Nothing is denied: the end of the lineage denies.
"""

from collections.abc import Iterable

from pyramid.authorization import Allow, Authenticated, Everyone

from jobserver.models.choices import GLOBAL_ROLES, PROJECT_ROLES, Role
from jobserver.security import roles
from jobserver.security.permissions import Permission

Entry = tuple[str, str, list[str]]


def _allow(principal: str, permissions: Iterable[str]) -> Entry:
    return (Allow, principal, sorted(permissions))


def _for_programs(principal: str, role: Role) -> list[Entry]:
    """What the role allows through a backend, and what a personal token may read by it."""
    entries = [
        _allow(f"via-backend:{principal}", roles.permissions_through_backend(role)),
        _allow(f"pat:{principal}", roles.permissions_of_token(role)),
    ]
    return [entry for entry in entries if entry[2]]


ROOT: list[Entry] = [
    _allow(Everyone, roles.ANYONE),
    _allow(Authenticated, roles.SIGNED_IN),
    _allow("any-role", roles.ANY_ROLE),
    *[_allow(f"role:{role}", roles.session_permissions(role)) for role in GLOBAL_ROLES],
    _allow("backend", roles.BACKEND),
    *[entry for role in GLOBAL_ROLES for entry in _for_programs(f"role:{role}", role)],
]


def project(project_id: int, org_ids: Iterable[int]) -> list[Entry]:
    """What a project adds: its members, and the members of all its organisations."""
    return [
        *[_allow(f"project:{project_id}:{role}", roles.session_permissions(role)) for role in PROJECT_ROLES],
        *[entry for role in PROJECT_ROLES for entry in _for_programs(f"project:{project_id}:{role}", role)],
        _allow(f"project:{project_id}:member", roles.MEMBER),
        *[_allow(f"org:{org_id}:member", roles.ORG_MEMBER) for org_id in sorted(org_ids)],
    ]


def repo(project_ids: Iterable[int]) -> list[Entry]:
    """What a repository adds: the members of every project that has a workspace of it."""
    return [
        _allow(f"project:{project_id}:member", roles.MEMBER_USING_REPO) for project_id in sorted(project_ids)
    ]


def job_request(created_by_id: int) -> list[Entry]:
    """What a job request adds: its creator may cancel it, whatever became of their roles."""
    return [_allow(f"user:{created_by_id}", roles.CREATOR_OF_JOB_REQUEST)]


def snapshot(*, is_published: bool, awaits_decision: bool) -> list[Entry]:
    """What a snapshot adds: a published one is everybody's, one that waits is also those who decide."""
    if is_published:
        return [_allow(Everyone, roles.READER_OF_SNAPSHOT)]
    publishers = roles.roles_granting(Permission.SNAPSHOT_PUBLISH) if awaits_decision else []
    return [_allow(f"role:{role}", roles.READER_OF_SNAPSHOT) for role in publishers]


def release_request(author_id: int) -> list[Entry]:
    """What a release request adds: its author may see it, whatever became of their roles."""
    return [_allow(f"user:{author_id}", roles.AUTHOR_OF_RELEASE_REQUEST)]
