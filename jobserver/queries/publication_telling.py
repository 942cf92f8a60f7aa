"""What the mails about wishes to publish say (spec: airlock 12.39)."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, true
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.orm import Session, aliased

from jobserver.models import (
    Org,
    Project,
    PublishRequest,
    Snapshot,
    User,
    Workspace,
)
from jobserver.queries.publish_requests import counted_files


@dataclass(frozen=True)
class Told:
    """A wish as a mail tells of it. ``decided_by`` is who unpublished it, if so; ``size`` in bytes."""

    snapshot_id: int
    title: str
    decision: str | None
    asked_by: str
    decided_by: str
    reason: str
    files: int
    size: int
    project: str
    path: Sequence[str]

    @property
    def name(self) -> str:
        """What the set of files is called."""
        return self.title or f"Outputs {self.snapshot_id} of {self.path[-1]}"


def told(db: Session, publish_request_id: int, *, unpublished: bool = False) -> Told | None:
    """The wish of this id; with ``unpublished`` by whom and why it is public no longer."""
    asker, decider = aliased(User), aliased(User)
    request = PublishRequest
    decided_by, reason = (
        (request.unpublished_by_id, request.unpublished_reason)
        if unpublished
        else (request.decision_by_id, request.decision_reason)
    )
    counted = counted_files()
    row = db.execute(
        select(
            Snapshot.id,
            Snapshot.title,
            request.decision,
            asker.fullname,
            func.coalesce(decider.fullname, ""),
            reason,
            counted.c.files,
            counted.c.size,
            Project.name,
            array([Org.slug, Project.slug, Workspace.name]),
        )
        .select_from(request)
        .join(Snapshot, Snapshot.id == request.snapshot_id)
        .join(Workspace, Workspace.id == Snapshot.workspace_id)
        .join(Project, Project.id == Workspace.project_id)
        .join(Org, Org.id == Project.org_id)
        .join(asker, asker.id == request.created_by_id)
        .outerjoin(decider, decider.id == decided_by)
        .join(counted, true())
        .where(request.id == publish_request_id)
    ).first()
    return Told(*row) if row else None
