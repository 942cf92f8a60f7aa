"""Publication: sets of released files, and the wishes to make them public."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from jobserver.models.base import Base, one_of
from jobserver.models.choices import PublishDecision
from jobserver.models.user import User
from jobserver.models.who_when import Created, person
from jobserver.models.workspace import Workspace

PENDING = "decision IS NULL"
# A set of files is public while one of its requests is so: approved, and not unpublished since.
IN_FORCE = "decision = 'approved' AND unpublished_at IS NULL"


class Snapshot(Created, Base):
    """A frozen set of released files of one workspace (spec: domain 3.17).

    ``digest`` is that of the sorted ids of the files: a workspace has each set once. ``title`` and
    ``summary``, which is Markdown, are the author's; empty for those that a program made.
    """

    __tablename__ = "snapshot"

    id: Mapped[int] = mapped_column(primary_key=True)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspace.id", ondelete="RESTRICT"))
    digest: Mapped[str]
    title: Mapped[str] = mapped_column(default="", server_default="")
    summary: Mapped[str] = mapped_column(default="", server_default="")

    workspace: Mapped[Workspace] = relationship(lazy="raise_on_sql")

    __table_args__ = (
        UniqueConstraint("id", "workspace_id"),
        Index("uq_snapshot_workspace_id_digest", "workspace_id", "digest", unique=True),
        Index(
            "ix_snapshot_workspace_id_created_at", "workspace_id", text("created_at DESC"), text("id DESC")
        ),
    )


class SnapshotFile(Base):
    """A file's place in a snapshot. The keys see to it that both belong to the same workspace."""

    __tablename__ = "snapshot_file"

    snapshot_id: Mapped[int] = mapped_column(primary_key=True)
    release_file_id: Mapped[str] = mapped_column(String(26), primary_key=True, index=True)
    workspace_id: Mapped[int]

    __table_args__ = (
        ForeignKeyConstraint(
            ["snapshot_id", "workspace_id"],
            ["snapshot.id", "snapshot.workspace_id"],
            name="fk_snapshot_file_snapshot",
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["release_file_id", "workspace_id"],
            ["release_file.id", "release_file.workspace_id"],
            name="fk_snapshot_file_release_file",
            ondelete="RESTRICT",
        ),
    )


class PublishRequest(Created, Base):
    """A wish that a snapshot be public (spec: domain 3.18 and 13.39 to 13.45).

    Pending until somebody decides, once and for ever. An approved one is in force until it is unpublished.
    At most one of a snapshot is pending, and at most one in force.
    """

    __tablename__ = "publish_request"

    id: Mapped[int] = mapped_column(primary_key=True)
    snapshot_id: Mapped[int] = mapped_column(ForeignKey("snapshot.id", ondelete="RESTRICT"), index=True)
    decision: Mapped[str | None]
    decision_at: Mapped[datetime | None]
    decision_by_id: Mapped[int | None] = person(nullable=True)
    decision_reason: Mapped[str] = mapped_column(default="", server_default="")
    unpublished_at: Mapped[datetime | None]
    unpublished_by_id: Mapped[int | None] = person(nullable=True)
    unpublished_reason: Mapped[str] = mapped_column(default="", server_default="")

    snapshot: Mapped[Snapshot] = relationship(lazy="raise_on_sql")
    decision_by: Mapped[User | None] = relationship(foreign_keys=[decision_by_id], lazy="raise_on_sql")

    __table_args__ = (
        one_of("decision", PublishDecision),
        CheckConstraint("(decision IS NULL) = (decision_at IS NULL)", name="decision_has_a_time"),
        CheckConstraint(
            "unpublished_at IS NULL OR (decision IS NOT NULL AND decision = 'approved')",
            name="unpublished_was_approved",
        ),
        Index(
            "uq_publish_request_pending",
            "snapshot_id",
            unique=True,
            postgresql_where=text(PENDING),
        ),
        Index("uq_publish_request_in_force", "snapshot_id", unique=True, postgresql_where=text(IN_FORCE)),
        Index(
            "ix_publish_request_decided",
            text("decision_at DESC"),
            text("id DESC"),
            postgresql_where=text("decision IS NOT NULL"),
        ),
        Index("ix_publish_request_queue", "created_at", "id", postgresql_where=text(PENDING)),
    )
