"""Snapshots as pages show them, and how much came out of a workspace (spec: pages 17)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, Select, func, select, text, true
from sqlalchemy.orm import Session, aliased

from jobserver.models import (
    Org,
    Project,
    PublishRequest,
    Release,
    ReleaseFile,
    Snapshot,
    SnapshotFile,
    User,
    Workspace,
)
from jobserver.models.publication import IN_FORCE, PENDING
from jobserver.queries.outputs import readable_size
from jobserver.queries.releases import Publication, last_is_rejected
from jobserver.queries.visibility import snapshots_permitting
from jobserver.security.identity import Identity
from jobserver.security.permissions import Permission
from jobserver.templating.states import State

PAGE = 25


@dataclass(frozen=True)
class SnapshotRow:
    """A set of files, with who made it, and who decided that it be public if it is.

    ``files`` counts all that belong to it; ``size`` is that of those which can be read, in bytes.
    """

    id: int
    title: str
    created_at: datetime
    created_by: str
    files: int
    size: int
    is_pending: bool
    is_rejected: bool
    published_at: datetime | None
    published_by: str | None
    workspace: str
    project_slug: str
    org_slug: str

    @property
    def name(self) -> str:
        """What it is called: its title, or its number if it has none."""
        return self.title or f"Outputs {self.id}"

    @property
    def path(self) -> tuple[str, ...]:
        """The names that lead to its page."""
        return (self.org_slug, self.project_slug, self.workspace, "outputs", str(self.id))

    @property
    def is_published(self) -> bool:
        """Whether everybody may see it now."""
        return self.published_at is not None

    @property
    def shown(self) -> State:
        """Where it stands, as pages show it."""
        return Publication(self.is_published, self.is_pending, self.is_rejected).shown


def visible(identity: Identity | None) -> ColumnElement[bool]:
    """Of snapshots: those that somebody may see."""
    return Snapshot.id.in_(snapshots_permitting(identity, Permission.SNAPSHOT_VIEW))


def in_workspace(workspace_id: int) -> ColumnElement[bool]:
    """Of snapshots: those of the workspace."""
    return Snapshot.workspace_id == workspace_id


def in_project(project_id: int) -> ColumnElement[bool]:
    """Of snapshots: those of the project's workspaces."""
    return Snapshot.workspace_id.in_(select(Workspace.id).where(Workspace.project_id == project_id))


def published(workspace_id: int) -> ColumnElement[bool]:
    """Of snapshots: those of the workspace that are public now."""
    return in_workspace(workspace_id) & is_published()


def is_published() -> ColumnElement[bool]:
    """Of snapshots: those that are public now."""
    return Snapshot.id.in_(select(PublishRequest.snapshot_id).where(text(IN_FORCE)))


def is_pending() -> ColumnElement[bool]:
    """Of snapshots: those that wait for a decision."""
    return Snapshot.id.in_(select(PublishRequest.snapshot_id).where(text(PENDING)))


def is_rejected() -> ColumnElement[bool]:
    """Of snapshots: those for which the last wish was refused."""
    refused = select(last_is_rejected()).where(PublishRequest.snapshot_id == Snapshot.id)
    return refused.correlate(Snapshot).scalar_subquery()


def moment() -> ColumnElement[datetime]:
    """Of a snapshot: when it became public if it is, else when it was made."""
    decided = select(PublishRequest.decision_at).where(
        PublishRequest.snapshot_id == Snapshot.id, text(IN_FORCE)
    )
    return func.coalesce(decided.scalar_subquery(), Snapshot.created_at)


def number_of_snapshots(db: Session, chosen: ColumnElement[bool]) -> int:
    """How many there are."""
    return db.scalar(select(func.count()).select_from(Snapshot).where(chosen)) or 0


def snapshots(
    db: Session, chosen: ColumnElement[bool], *, limit: int = PAGE, offset: int = 0
) -> list[SnapshotRow]:
    """The newest of them, by :func:`moment`, newest first, in one statement."""
    newest = (moment().desc(), Snapshot.id.desc())
    ids = select(Snapshot.id).where(chosen).order_by(*newest).limit(limit).offset(offset)
    files = (
        select(func.count().label("number"), readable_size())
        .select_from(SnapshotFile)
        .join(ReleaseFile, ReleaseFile.id == SnapshotFile.release_file_id)
        .where(SnapshotFile.snapshot_id == Snapshot.id)
        .lateral("files")
    )
    decision = (
        select(PublishRequest.decision_at, PublishRequest.decision_by_id)
        .where(PublishRequest.snapshot_id == Snapshot.id, text(IN_FORCE))
        .lateral("decision")
    )
    maker, decider = aliased(User), aliased(User)
    statement: Select[Any] = (
        select(
            Snapshot.id,
            Snapshot.title,
            Snapshot.created_at,
            maker.fullname,
            files.c.number,
            files.c.size,
            is_pending(),
            is_rejected(),
            decision.c.decision_at,
            decider.fullname,
            Workspace.name,
            Project.slug,
            Org.slug,
        )
        .join(Workspace, Workspace.id == Snapshot.workspace_id)
        .join(Project, Project.id == Workspace.project_id)
        .join(Org, Org.id == Project.org_id)
        .join(maker, maker.id == Snapshot.created_by_id)
        .join(files, true())
        .outerjoin(decision, true())
        .outerjoin(decider, decider.id == decision.c.decision_by_id)
        .where(Snapshot.id.in_(ids))
        .order_by(*newest)
    )
    return [SnapshotRow(*row) for row in db.execute(statement)]


@dataclass(frozen=True)
class CameOut:
    """How many releases a workspace or a project has, and how many published sets of files."""

    releases: int
    published: int


def came_out(db: Session, *columns: ScalarSelect[int]) -> CameOut:
    """What everybody may know of the outputs of a workspace or a project, in one statement."""
    row: Sequence[int] = db.execute(select(*columns)).one()
    return CameOut(row[0], row[1])


def came_out_of_workspace(workspace_id: int) -> tuple[ScalarSelect[int], ScalarSelect[int]]:
    """The columns of :class:`CameOut`, for a statement that may ask for other things too."""
    return _came_out(Release.workspace_id == workspace_id, in_workspace(workspace_id))


def came_out_of_project(project_id: int) -> tuple[ScalarSelect[int], ScalarSelect[int]]:
    """The columns of :class:`CameOut` for all workspaces of a project."""
    here = select(Workspace.id).where(Workspace.project_id == project_id)
    return _came_out(Release.workspace_id.in_(here), in_project(project_id))


def _came_out(
    releases: ColumnElement[bool], snapshots: ColumnElement[bool]
) -> tuple[ScalarSelect[int], ScalarSelect[int]]:
    released = select(func.count()).select_from(Release).where(releases)
    public = select(func.count()).select_from(Snapshot).where(snapshots & is_published())
    return released.scalar_subquery(), public.scalar_subquery()
