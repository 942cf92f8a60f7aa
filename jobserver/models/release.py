"""Releases: files that came out of a backend for a workspace, once checkers had agreed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from jobserver.models.backend import Backend
from jobserver.models.base import Base, one_of, utcnow
from jobserver.models.choices import ReleaseStatus, ReviewStatus
from jobserver.models.user import User
from jobserver.models.who_when import Created, Deleted, person
from jobserver.models.workspace import Workspace

ULID = "[0-9A-HJKMNP-TV-Z]{26}"


class Release(Created, Base):
    """A set of files that left a backend together (spec: domain 3.14).

    Its id is that of the release request in Airlock, if it came from there. ``requested_files`` is the list
    as it was announced; ``metadata_`` is the column ``metadata``.
    """

    __tablename__ = "release"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspace.id", ondelete="RESTRICT"))
    backend_id: Mapped[int] = mapped_column(ForeignKey("backend.id", ondelete="RESTRICT"), index=True)
    status: Mapped[str] = mapped_column(default=ReleaseStatus.REQUESTED, server_default="REQUESTED")
    requested_files: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, deferred=True)
    metadata_: Mapped[dict[str, Any] | None] = mapped_column("metadata")
    review: Mapped[dict[str, Any] | None]

    workspace: Mapped[Workspace] = relationship(lazy="raise_on_sql")
    backend: Mapped[Backend] = relationship(lazy="raise_on_sql")

    __table_args__ = (
        one_of("status", ReleaseStatus),
        CheckConstraint(f"id ~ '^{ULID}$'", name="id_form"),
        UniqueConstraint("id", "workspace_id"),
        Index("ix_release_workspace_id_created_at", "workspace_id", text("created_at DESC"), text("id DESC")),
    )


class ReleaseFile(Created, Deleted, Base):
    """One file of a release (spec: domain 3.15). Its bytes are at ``path`` below ``RELEASE_STORAGE``.

    Announced, then uploaded, then perhaps redacted: the row and its hash stay, the bytes go.
    """

    __tablename__ = "release_file"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    release_id: Mapped[str] = mapped_column(String(26))
    workspace_id: Mapped[int]
    name: Mapped[str]
    path: Mapped[str] = mapped_column(default="", server_default="")
    filehash: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    mtime: Mapped[datetime]
    metadata_: Mapped[dict[str, Any] | None] = mapped_column("metadata")
    uploaded_at: Mapped[datetime | None]
    uploaded_by_id: Mapped[int | None] = person(nullable=True)
    deleted_reason: Mapped[str] = mapped_column(default="", server_default="")

    release: Mapped[Release] = relationship(lazy="raise_on_sql")
    uploaded_by: Mapped[User | None] = relationship(foreign_keys=[uploaded_by_id], lazy="raise_on_sql")

    __table_args__ = (
        ForeignKeyConstraint(
            ["release_id", "workspace_id"],
            ["release.id", "release.workspace_id"],
            name="fk_release_file_release",
            ondelete="RESTRICT",
        ),
        UniqueConstraint("id", "workspace_id"),
        Index("uq_release_file_release_id_name", "release_id", "name", unique=True),
        Index("ix_release_file_workspace_id_name", "workspace_id", "name"),
        Index("ix_release_file_waiting", "release_id", postgresql_where=text("uploaded_at IS NULL")),
        CheckConstraint(f"id ~ '^{ULID}$'", name="id_form"),
        CheckConstraint("name <> ''", name="name_not_empty"),
        CheckConstraint("size >= 0", name="size_not_negative"),
        CheckConstraint("filehash ~ '^[0-9a-f]{64}$'", name="filehash_form"),
        CheckConstraint("(uploaded_at IS NULL) = (path = '')", name="uploaded_has_a_path"),
        CheckConstraint("deleted_at IS NULL OR uploaded_at IS NOT NULL", name="deleted_was_uploaded"),
    )

    @property
    def is_readable(self) -> bool:
        """Whether its bytes are here."""
        return self.uploaded_at is not None and self.deleted_at is None


class ReleaseFileReview(Base):
    """What somebody thought of a file (spec: domain 3.16); all of one call have the same time."""

    __tablename__ = "release_file_review"

    id: Mapped[int] = mapped_column(primary_key=True)
    release_file_id: Mapped[str] = mapped_column(
        ForeignKey("release_file.id", ondelete="CASCADE"), index=True
    )
    status: Mapped[str]
    comments: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    created_by_id: Mapped[int] = person(nullable=False)

    __table_args__ = (one_of("status", ReviewStatus),)
