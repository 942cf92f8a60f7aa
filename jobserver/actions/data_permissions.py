"""Leave for a project to use certain data or a tool: given and withdrawn, with who, when and why."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from jobserver.actions.audit import Actor, record
from jobserver.actions.naming import Malformed
from jobserver.actions.users import Person
from jobserver.models import AuditType, DataPermission, PermissionKind, Project, User, utcnow
from jobserver.models.choices import DATASET_PERMISSIONS, POPULATION_PERMISSIONS, TOOL_PERMISSIONS
from jobserver.security.identity import Identity

KNOWN = {
    PermissionKind.POPULATION: POPULATION_PERMISSIONS,
    PermissionKind.DATASET: DATASET_PERMISSIONS,
    PermissionKind.TOOL: TOOL_PERMISSIONS,
}


def grant(
    db: Session, project: Project, *, kind: PermissionKind, name: str, reason: str, by: Person
) -> DataPermission:
    """Give the project leave; one in force already is left as it is (spec: access 8.6).

    Raises :class:`~jobserver.actions.naming.Malformed` for an unknown name or a missing reason.
    """
    if name not in KNOWN[kind]:
        raise Malformed("name", f"must be one of {', '.join(KNOWN[kind])}, not “{name}”")
    reason = reason.strip()
    if not reason:
        raise Malformed("reason", "is missing")
    db.refresh(project, ["id"], with_for_update={"key_share": True})
    found = db.scalar(
        select(DataPermission).where(
            DataPermission.project_id == project.id,
            DataPermission.kind == kind,
            DataPermission.name == name,
            DataPermission.revoked_at.is_(None),
        )
    )
    if found is not None:
        return found
    permission = DataPermission(
        project_id=project.id, kind=kind, name=name, reason=reason, granted_by_id=Actor.of(by).user_id
    )
    db.add(permission)
    db.flush()
    record(
        db,
        AuditType.DATA_PERMISSION_GRANTED,
        by=by,
        target=permission,
        target_field=kind,
        parent=project,
        new=name,
        reason=reason,
        at=permission.granted_at,
    )
    return permission


def revoke(db: Session, permission: DataPermission, *, by: User | Identity) -> bool:
    """Withdraw the leave; returns False if it was withdrawn before."""
    db.flush()
    db.refresh(permission, with_for_update=True)
    if permission.revoked_at is not None:
        return False
    permission.revoked_at = utcnow()
    permission.revoked_by_id = Actor.of(by).user_id
    record(
        db,
        AuditType.DATA_PERMISSION_REVOKED,
        by=by,
        target=permission,
        target_field=permission.kind,
        parent=db.get_one(Project, permission.project_id),
        old=permission.name,
        at=permission.revoked_at,
    )
    return True
