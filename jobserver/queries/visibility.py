"""Which projects, workspaces and what is in them somebody may do something with, as SQL.

Made from the same role table as the access lists of the tree (spec: access 7.3), so that a list shows
its reader exactly what the pages would let them do. A property test holds the two together.
"""

from sqlalchemy import ColumnElement, Select, false, or_, select, text, true

from jobserver.models import (
    Project,
    ProjectCollaboration,
    PublishRequest,
    ReleaseRequest,
    Snapshot,
    Workspace,
)
from jobserver.models.choices import GLOBAL_ROLES, PROJECT_ROLES
from jobserver.models.publication import IN_FORCE, PENDING
from jobserver.security import roles
from jobserver.security.identity import Identity
from jobserver.security.permissions import Permission


def projects_permitting(identity: Identity | None, permission: Permission) -> Select[int]:
    """Ids of the projects on which the caller holds the permission; ``None`` is an anonymous caller."""
    return select(Project.id).where(_on_project(identity, permission))


def workspaces_permitting(identity: Identity | None, permission: Permission) -> Select[int]:
    """Ids of the workspaces on which the caller holds the permission, which is that of their projects."""
    return select(Workspace.id).where(
        Workspace.project_id.in_(projects_permitting(identity, permission)),
    )


def release_requests_permitting(identity: Identity | None, permission: Permission) -> Select[*tuple[str]]:
    """Ids of the release requests on which the caller holds the permission.

    Besides what their project grants, a request's author may see it, whatever became of their roles.
    """
    permitted: ColumnElement[bool] = ReleaseRequest.workspace_id.in_(
        workspaces_permitting(identity, permission)
    )
    if identity is not None and permission in roles.AUTHOR_OF_RELEASE_REQUEST:
        permitted |= ReleaseRequest.author_id == identity.user_id
    return select(ReleaseRequest.id).where(permitted)


def snapshots_permitting(identity: Identity | None, permission: Permission) -> Select[*tuple[int]]:
    """Ids of the snapshots on which the caller holds the permission.

    Besides what their project grants, a published one is everybody's to see, and one that waits for a
    decision is also seen by those who decide.
    """
    permitted: ColumnElement[bool] = Snapshot.workspace_id.in_(workspaces_permitting(identity, permission))
    if permission in roles.READER_OF_SNAPSHOT:
        permitted |= Snapshot.id.in_(select(PublishRequest.snapshot_id).where(text(IN_FORCE)))
        if identity is not None and set(identity.roles) & set(
            roles.roles_granting(Permission.SNAPSHOT_PUBLISH)
        ):
            permitted |= Snapshot.id.in_(select(PublishRequest.snapshot_id).where(text(PENDING)))
    return select(Snapshot.id).where(permitted)


def _on_project(identity: Identity | None, permission: Permission) -> ColumnElement[bool]:
    if _everywhere(identity, permission):
        return true()
    if identity is None:
        return false()
    granting = {role for role in PROJECT_ROLES if permission in roles.session_permissions(role)}
    by_membership = [
        project_id
        for project_id, held in identity.project_roles.items()
        if permission in roles.MEMBER or granting & set(held)
    ]
    conditions: list[ColumnElement[bool]] = []
    if by_membership:
        conditions.append(Project.id.in_(by_membership))
    if permission in roles.ORG_MEMBER and identity.org_ids:
        theirs = select(ProjectCollaboration.project_id).where(
            ProjectCollaboration.org_id.in_(identity.org_ids)
        )
        conditions.append(Project.id.in_(theirs))
    return or_(false(), *conditions)


def _everywhere(identity: Identity | None, permission: Permission) -> bool:
    """Whether the root already grants it."""
    if permission in roles.ANYONE:
        return True
    if identity is None:
        return False
    return (
        permission in roles.SIGNED_IN
        or (permission in roles.ANY_ROLE and identity.has_any_role)
        or any(
            permission in roles.session_permissions(role) for role in identity.roles if role in GLOBAL_ROLES
        )
    )
