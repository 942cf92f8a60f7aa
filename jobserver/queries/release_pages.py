"""Releases and their files as pages show them, a page at a time (spec: pages 16, airlock 5.4)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, false, func, literal, select, true
from sqlalchemy.orm import Session, aliased

from jobserver.models import Backend, Org, Project, Release, ReleaseFile, SnapshotFile, User, Workspace
from jobserver.queries.outputs import is_readable, readable_size
from jobserver.templating.states import RELEASE_FILE_STATES, State

PAGE = 25
FILES_PAGE = 100
# A file that has not come an hour after it was announced is worth a warning (spec: airlock 12.27).
LATE = timedelta(hours=1)


@dataclass(frozen=True)
class Counts:
    """The files of a release or another set. ``uploaded`` counts those that were redacted later, too.

    ``size`` is that of those which can be read, in bytes.
    """

    files: int
    uploaded: int
    redacted: int
    size: int

    @property
    def waiting(self) -> int:
        """How many were announced and have not come."""
        return self.files - self.uploaded

    @property
    def readable(self) -> int:
        """How many can be read now."""
        return self.uploaded - self.redacted

    @property
    def shown(self) -> State:
        """What has come, as pages show it."""
        if self.waiting:
            return RELEASE_FILE_STATES["waiting"]
        return RELEASE_FILE_STATES["redacted" if self.files and not self.readable else "uploaded"]


@dataclass(frozen=True)
class ReleaseRow:
    """A release in a list. ``counts`` is None for those who may not see its files."""

    id: str
    created_at: datetime
    user: str
    username: str
    backend: str
    workspace: str
    project_slug: str
    org_slug: str
    counts: Counts | None

    @property
    def path(self) -> tuple[str, ...]:
        """The names that lead to its page."""
        return (self.org_slug, self.project_slug, self.workspace, "releases", self.id)

    def is_late(self, now: datetime) -> bool:
        """Whether something should have come long ago."""
        return is_late(self.created_at, self.counts, now)


def is_late(created_at: datetime, counts: Counts | None, now: datetime) -> bool:
    """Whether a release of this time, with these files, should have come whole by now."""
    return counts is not None and counts.waiting > 0 and now - created_at > LATE


def late(now: datetime) -> ColumnElement[bool]:
    """Of releases: those that should have come whole by now, and have not."""
    waiting = select(ReleaseFile.release_id).where(ReleaseFile.uploaded_at.is_(None))
    return (Release.created_at < now - LATE) & Release.id.in_(waiting)


@dataclass(frozen=True)
class FileRow:
    """One file in a table of files, with what became of it."""

    id: str
    release_id: str
    name: str
    size: int
    sha256: str
    uploaded_at: datetime | None
    deleted_at: datetime | None
    deleted_reason: str
    released_at: datetime
    backend: str
    uploaded_by: str | None
    deleted_by: str | None

    @property
    def folder(self) -> str:
        """The folders of its name, with the last stroke; empty without any."""
        return self.name[: -len(self.base)]

    @property
    def base(self) -> str:
        """Its name without folders."""
        return self.name.rpartition("/")[2] or self.name

    @property
    def is_readable(self) -> bool:
        """Whether its bytes are here."""
        return self.uploaded_at is not None and self.deleted_at is None

    @property
    def shown(self) -> State:
        """Where it stands, as pages show it."""
        if self.deleted_at:
            return RELEASE_FILE_STATES["redacted"]
        return RELEASE_FILE_STATES["uploaded" if self.uploaded_at else "waiting"]


def in_workspace(workspace_id: int) -> ColumnElement[bool]:
    """Of releases: those of the workspace."""
    return Release.workspace_id == workspace_id


def in_project(project_id: int) -> ColumnElement[bool]:
    """Of releases: those of the project's workspaces."""
    return Release.workspace_id.in_(select(Workspace.id).where(Workspace.project_id == project_id))


def with_ids(ids: Iterable[str]) -> ColumnElement[bool]:
    """Of releases: those with these ids."""
    return Release.id.in_(list(ids))


def releases(
    db: Session, place: ColumnElement[bool], *, with_files: bool, limit: int = PAGE, offset: int = 0
) -> list[ReleaseRow]:
    """The newest releases, newest first, in one statement; their files are counted only if wanted."""
    newest = (Release.created_at.desc(), Release.id.desc())
    # Chosen before anything is joined or counted: only the rows of this page cost something.
    chosen = select(Release.id).where(place).order_by(*newest).limit(limit).offset(offset)
    statement: Select[*tuple[Any, ...]] = (
        select(
            Release.id,
            Release.created_at,
            User.fullname,
            User.username,
            Backend.name,
            Workspace.name,
            Project.slug,
            Org.slug,
        )
        .join(Workspace, Workspace.id == Release.workspace_id)
        .join(Project, Project.id == Workspace.project_id)
        .join(Org, Org.id == Project.org_id)
        .join(Backend, Backend.id == Release.backend_id)
        .join(User, User.id == Release.created_by_id)
        .where(Release.id.in_(chosen))
        .order_by(*newest)
    )
    if with_files:
        counted = _counted(ReleaseFile.release_id == Release.id).lateral("counted")
        statement = statement.add_columns(*counted.c).join(counted, true())
    rows: Sequence[Any] = db.execute(statement).all()
    return [ReleaseRow(*[*row[:8], Counts(*row[8:]) if with_files else None]) for row in rows]


def _counted(files: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """The columns of :class:`Counts`."""
    return select(
        func.count().label("files"),
        func.count(ReleaseFile.uploaded_at).label("uploaded"),
        func.count(ReleaseFile.deleted_at).label("redacted"),
        readable_size(),
    ).where(files)


def counts(db: Session, files: ColumnElement[bool]) -> Counts:
    """How many files there are, how many are here, and what those hold."""
    return Counts(*db.execute(_counted(files)).one())


def of_release(release_id: str) -> ColumnElement[bool]:
    """Of files: those of the release."""
    return ReleaseFile.release_id == release_id


def of_snapshot(snapshot_id: int) -> ColumnElement[bool]:
    """Of files: those of the snapshot."""
    members = select(SnapshotFile.release_file_id).where(SnapshotFile.snapshot_id == snapshot_id)
    return ReleaseFile.id.in_(members)


def these(ids: Iterable[str]) -> ColumnElement[bool]:
    """Of files: those with these ids."""
    return ReleaseFile.id.in_(list(ids))


def named(q: str) -> ColumnElement[bool]:
    """Of files: those whose name, folders included, has this text in it."""
    if "\0" in q:
        return false()
    return ReleaseFile.name.icontains(q, autoescape=True) if q else true()


def number_of_files(db: Session, files: ColumnElement[bool]) -> int:
    """How many files there are."""
    return db.scalar(select(func.count()).select_from(ReleaseFile).where(files)) or 0


def files_of(
    db: Session, files: ColumnElement[bool], *, limit: int = FILES_PAGE, offset: int = 0
) -> list[FileRow]:
    """One page of the files, by name."""
    order = (ReleaseFile.name, ReleaseFile.id)
    chosen = select(ReleaseFile.id).where(files).order_by(*order).limit(limit).offset(offset)
    uploader, deleter = aliased(User), aliased(User)
    statement = (
        select(
            ReleaseFile.id,
            ReleaseFile.release_id,
            ReleaseFile.name,
            ReleaseFile.size,
            ReleaseFile.filehash,
            ReleaseFile.uploaded_at,
            ReleaseFile.deleted_at,
            ReleaseFile.deleted_reason,
            Release.created_at,
            Backend.name,
            uploader.fullname,
            deleter.fullname,
        )
        .join(Release, Release.id == ReleaseFile.release_id)
        .join(Backend, Backend.id == Release.backend_id)
        .outerjoin(uploader, uploader.id == ReleaseFile.uploaded_by_id)
        .outerjoin(deleter, deleter.id == ReleaseFile.deleted_by_id)
        .where(ReleaseFile.id.in_(chosen))
        .order_by(*order)
    )
    rows: Sequence[Any] = db.execute(statement).all()
    return [FileRow(*row) for row in rows]


def has_readable(db: Session, workspace_id: int) -> bool:
    """Whether any released file of the workspace can be read."""
    here = (ReleaseFile.workspace_id == workspace_id) & is_readable()
    return db.scalar(select(literal(True)).where(here).limit(1)) is not None


@dataclass(frozen=True)
class ZipFileRow:
    """A file as a zip needs it: with ``path`` if its bytes are here, else with why they are not."""

    id: str
    release_id: str
    name: str
    path: str
    size: int
    backend: str
    deleted_at: datetime | None
    deleted_by: str | None
    deleted_reason: str

    @property
    def is_readable(self) -> bool:
        """Whether its bytes should be here."""
        return bool(self.path) and self.deleted_at is None


def files_for_zip(db: Session, files: ColumnElement[bool]) -> Sequence[ZipFileRow]:
    """All of the files, by name."""
    statement = (
        select(
            ReleaseFile.id,
            ReleaseFile.release_id,
            ReleaseFile.name,
            ReleaseFile.path,
            ReleaseFile.size,
            Backend.slug,
            ReleaseFile.deleted_at,
            User.fullname,
            ReleaseFile.deleted_reason,
        )
        .join(Release, Release.id == ReleaseFile.release_id)
        .join(Backend, Backend.id == Release.backend_id)
        .outerjoin(User, User.id == ReleaseFile.deleted_by_id)
        .where(files)
        .order_by(ReleaseFile.name, ReleaseFile.id)
    )
    return [ZipFileRow(*row) for row in db.execute(statement)]
