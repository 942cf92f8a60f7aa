"""Deleting a project in which nothing was done yet, for good (spec: operations 1.2, domain 13.49)."""

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from jobserver.actions.audit import record
from jobserver.actions.naming import Refused
from jobserver.actions.users import Person
from jobserver.models import (
    Application,
    AuditType,
    DataPermission,
    Project,
    ProjectCollaboration,
    ProjectMembership,
    Workspace,
)
from jobserver.templating.numbers import count


def check_empty(db: Session, project: Project) -> None:
    """Raise :class:`~jobserver.actions.naming.Refused`, naming all of it, if something holds the project.

    From now until the transaction ends nothing can be added.
    """
    db.refresh(project, with_for_update=True)
    holding = {
        "workspace": Workspace.project_id == project.id,
        "member": ProjectMembership.project_id == project.id,
        "linked application": Application.project_id == project.id,
    }
    numbers = {noun: db.scalar(select(func.count()).where(mine)) or 0 for noun, mine in holding.items()}
    if any(numbers.values()):
        what = ", ".join(count(number, noun) for noun, number in numbers.items() if number)
        raise Refused("project", f"The project “{project.name}” cannot be deleted: it has {what}.")


def remove(db: Session, project: Project, *, by: Person, reason: str = "") -> None:
    """Delete the project with its organisations' parts in it, its data permissions and its old addresses.

    The events of all of them stay. Raises :class:`~jobserver.actions.naming.Refused` if something holds it.
    """
    check_empty(db, project)
    gone = {"deleted": (False, True)}
    record(db, AuditType.PROJECT_UPDATED, by=by, target=project, parent=project, changes=gone, reason=reason)
    for of_it in (DataPermission, ProjectCollaboration):
        db.execute(delete(of_it).where(of_it.project_id == project.id))
    db.delete(project)
    db.flush()
