"""Which projects, workspaces and job requests somebody may do something with, as SQL.

Made from the same role table as the access lists of the tree (spec: access 7.3), so that a list shows
its reader exactly what the pages would let them do. A property test holds the two together.
"""

from sqlalchemy import ColumnElement, Select, false, or_, select, true

from jobserver.models import JobRequest, Project, ProjectCollaboration, Workspace
from jobserver.models.choices import GLOBAL_ROLES, PROJECT_ROLES
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


def job_requests_permitting(identity: Identity | None, permission: Permission) -> Select[int]:
    """Ids of the job requests on which the caller holds the permission.

    Besides what their project grants, a request's creator may cancel it, whatever became of their roles.
    """
    permitted: ColumnElement[bool] = JobRequest.workspace_id.in_(workspaces_permitting(identity, permission))
    if identity is not None and permission in roles.CREATOR_OF_JOB_REQUEST:
        permitted |= JobRequest.created_by_id == identity.user_id
    return select(JobRequest.id).where(permitted)


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
