"""What redacting a released file touches, whom it is told, and whose bytes have to go."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, any_, literal, select
from sqlalchemy.orm import Session, joinedload

from jobserver.models import (
    Project,
    ProjectMembership,
    Release,
    ReleaseFile,
    Role,
    Snapshot,
    SnapshotFile,
    User,
    Workspace,
)
from jobserver.security.sessions import goes_on

# So many other files with the same content are named.
MOST_COPIES = 20


def having(file_id: str) -> ColumnElement[bool]:
    """Of snapshots: those with this file."""
    return Snapshot.id.in_(select(SnapshotFile.snapshot_id).where(SnapshotFile.release_file_id == file_id))


@dataclass(frozen=True)
class Copy:
    """Another file of the workspace with the same content, which can be read."""

    id: str
    release_id: str
    name: str
    released_at: datetime


def copies(db: Session, file: ReleaseFile) -> list[Copy]:
    """The newest of them, newest first."""
    statement = (
        select(ReleaseFile.id, ReleaseFile.release_id, ReleaseFile.name, Release.created_at)
        .join(Release, Release.id == ReleaseFile.release_id)
        .where(
            ReleaseFile.workspace_id == file.workspace_id,
            ReleaseFile.filehash == file.filehash,
            ReleaseFile.id != file.id,
            ReleaseFile.uploaded_at.is_not(None),
            ReleaseFile.deleted_at.is_(None),
        )
        .order_by(Release.created_at.desc(), ReleaseFile.id.desc())
        .limit(MOST_COPIES)
    )
    return [Copy(*row) for row in db.execute(statement)]


def developers(db: Session, project_id: int) -> Sequence[int]:
    """The ids of the project's developers who can be told something."""
    return db.scalars(
        select(User.id)
        .join(ProjectMembership, ProjectMembership.user_id == User.id)
        .where(
            ProjectMembership.project_id == project_id,
            literal(Role.PROJECT_DEVELOPER.value) == any_(ProjectMembership.roles),
            goes_on(ProjectMembership),
            User.email.is_not(None),
            User.disabled_at.is_(None),
        )
        .order_by(User.id)
    ).all()


def redacted_by(db: Session, file: ReleaseFile) -> str:
    """The name of whoever redacted the file."""
    return db.scalar(select(User.fullname).where(User.id == file.deleted_by_id)) or ""


@dataclass(frozen=True)
class Gone:
    """A redacted file; its bytes, should they still be there, are at ``path``."""

    id: str
    path: str


def gone(db: Session, *, after: str, limit: int) -> list[Gone]:
    """The redacted files whose ids follow this one, by id."""
    statement = select(ReleaseFile.id, ReleaseFile.path).where(
        ReleaseFile.deleted_at.is_not(None), ReleaseFile.id > after
    )
    return [Gone(*row) for row in db.execute(statement.order_by(ReleaseFile.id).limit(limit))]


def is_needed(db: Session, path: str) -> bool:
    """Whether a file that is not redacted has its bytes at this path."""
    here = (ReleaseFile.path == path) & ReleaseFile.deleted_at.is_(None)
    return db.scalar(select(ReleaseFile.id).where(here).limit(1)) is not None


def redacted_file(db: Session, file_id: str) -> ReleaseFile | None:
    """The file with the way to its page; None unless it is redacted."""
    workspace = joinedload(ReleaseFile.release).joinedload(Release.workspace)
    return db.scalar(
        select(ReleaseFile)
        .where(ReleaseFile.id == file_id, ReleaseFile.deleted_at.is_not(None))
        .options(workspace.joinedload(Workspace.project).joinedload(Project.org))
    )
