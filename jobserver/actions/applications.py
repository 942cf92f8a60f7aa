"""Applications for projects: which project came of one (spec: staff 8.6, 17.31, domain 13.57)."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from jobserver.actions.audit import id_of, record
from jobserver.actions.naming import Refused
from jobserver.models import Application, AuditType, Project, User
from jobserver.queries.staff.applications import CANNOT_BE_LINKED
from jobserver.security.identity import Identity


def link(db: Session, project: Project, application_id: int, *, by: User | Identity) -> Application:
    """Say that the project came of the application. Raises :class:`~jobserver.actions.naming.Refused`."""
    _lock(db, project)
    held = db.scalar(select(Application).where(Application.project_id == project.id))
    if held is not None:
        raise Refused("application", f"The project has application {held.hash} already. Unlink that first.")
    application = db.get(Application, application_id, with_for_update=True, populate_existing=True)
    if application is None:
        raise Refused("application", "There is no such application. Choose among those listed here.")
    if application.project_id is not None:
        raise Refused("application", f"Application {application.hash} is linked to another project.")
    if application.deleted_at is not None or application.status in CANNOT_BE_LINKED:
        raise Refused(
            "application",
            f"Application {application.hash} was deleted, rejected or never submitted. Choose among those"
            " listed here.",
        )
    application.project_id = project.id
    _record(db, AuditType.APPLICATION_LINKED, project, application, by)
    return application


def unlink(db: Session, project: Project, application_id: int, *, by: User | Identity) -> Application | None:
    """Say that the project did not come of the application after all; None if it is not linked to it."""
    _lock(db, project)
    mine = (Application.id == application_id, Application.project_id == project.id)
    application = db.scalar(select(Application).where(*mine).with_for_update())
    if application is not None:
        application.project_id = None
        _record(db, AuditType.APPLICATION_UNLINKED, project, application, by)
    return application


def _lock(db: Session, project: Project) -> None:
    db.refresh(project, ["id"], with_for_update=True)


def _record(
    db: Session, type_: AuditType, project: Project, application: Application, by: User | Identity
) -> None:
    project.touch(id_of(by))
    was, becomes = ("", application.hash) if type_ == AuditType.APPLICATION_LINKED else (application.hash, "")
    db.flush()
    record(
        db,
        type_,
        by=by,
        target=application,
        parent=project,
        old=was,
        new=becomes,
        label=f"application {application.hash}",
    )
