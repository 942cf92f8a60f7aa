"""Release requests as Airlock tells of them: where each stands, and everything that happened to it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from jobserver.models.backend import Backend
from jobserver.models.base import Base, one_of, utcnow
from jobserver.models.choices import AirlockEventType, ReleaseRequestState
from jobserver.models.user import User
from jobserver.models.who_when import Created
from jobserver.models.workspace import Workspace


class ReleaseRequest(Base):
    """A researcher's wish in Airlock that files be released (spec: airlock 8 and 12.50).

    Made from events: the first one that names the request makes the row. ``turn`` counts the rounds: each
    resubmission begins one. ``checking_repo`` is the output-checking repository (``owner/name``) that Airlock
    itself named, if it did; ``issue_repo``, ``issue_number`` and ``issue_url`` are those of the issue once it
    is known, ``issue_asked_at`` when GitHub was first asked to make it.
    """

    __tablename__ = "release_request"

    id: Mapped[str] = mapped_column(String(100), primary_key=True)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspace.id", ondelete="RESTRICT"))
    backend_id: Mapped[int] = mapped_column(ForeignKey("backend.id", ondelete="RESTRICT"), index=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="RESTRICT"))
    state: Mapped[str]
    turn: Mapped[int] = mapped_column(default=1, server_default="1")
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    state_since: Mapped[datetime] = mapped_column(default=utcnow)
    checking_repo: Mapped[str] = mapped_column(default="", server_default="")
    issue_repo: Mapped[str] = mapped_column(default="", server_default="")
    issue_number: Mapped[int | None]
    issue_url: Mapped[str] = mapped_column(default="", server_default="")
    issue_asked_at: Mapped[datetime | None]

    workspace: Mapped[Workspace] = relationship(lazy="raise_on_sql")
    backend: Mapped[Backend] = relationship(lazy="raise_on_sql")
    author: Mapped[User] = relationship(foreign_keys=[author_id], lazy="raise_on_sql")

    __table_args__ = (
        one_of("state", ReleaseRequestState),
        CheckConstraint("id <> ''", name="id_not_empty"),
        CheckConstraint("(issue_number IS NULL) = (issue_url = '')", name="issue_has_an_address"),
        Index("ix_release_request_workspace_id", "workspace_id", text("created_at DESC"), text("id DESC")),
        Index("ix_release_request_author", "author_id", text("created_at DESC"), text("id DESC")),
        Index("ix_release_request_created_at", text("created_at DESC"), text("id DESC")),
        Index("ix_release_request_state", "state", text("created_at DESC"), text("id DESC")),
    )


class ReleaseRequestEvent(Created, Base):
    """One step of a release request, caused by ``created_by``; once in each turn (spec: airlock 8, 12.46).

    ``updates`` are the lines that Airlock sent with it. The other columns say which notifications are out:
    ``issue_at`` once GitHub shows it, ``comment_url`` the comment there, ``comment_asked_at`` when GitHub was
    first asked to write it; ``slack_at``, ``mail_at`` likewise.
    """

    __tablename__ = "release_request_event"

    id: Mapped[int] = mapped_column(primary_key=True)
    release_request_id: Mapped[str] = mapped_column(
        String(100), ForeignKey("release_request.id", ondelete="CASCADE")
    )
    event_type: Mapped[str]
    turn: Mapped[int]
    updates: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list, server_default="[]")
    issue_at: Mapped[datetime | None]
    comment_asked_at: Mapped[datetime | None]
    comment_url: Mapped[str] = mapped_column(default="", server_default="")
    slack_at: Mapped[datetime | None]
    mail_at: Mapped[datetime | None]

    release_request: Mapped[ReleaseRequest] = relationship(lazy="raise_on_sql")

    __table_args__ = (
        one_of("event_type", AirlockEventType),
        Index("uq_release_request_event_once", "release_request_id", "turn", "event_type", unique=True),
    )
