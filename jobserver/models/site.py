"""Things about the site as a whole: old addresses and banners."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from jobserver.models.base import Base, one_of, utcnow
from jobserver.models.choices import AlertLevel
from jobserver.models.who_when import Created, Deleted, person


class Redirect(Created, Deleted, Base):
    """Keeps an old address of an organisation, project or workspace alive (spec: domain 3.19)."""

    __tablename__ = "redirect"

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int | None] = mapped_column(ForeignKey("org.id", ondelete="CASCADE"), index=True)
    project_id: Mapped[int | None] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), index=True)
    workspace_id: Mapped[int | None] = mapped_column(
        ForeignKey("workspace.id", ondelete="CASCADE"), index=True
    )
    old_url: Mapped[str]
    expires_at: Mapped[datetime] = mapped_column(default=lambda: utcnow() + timedelta(days=365))
    updated_at: Mapped[datetime] = mapped_column(default=utcnow)

    __table_args__ = (
        CheckConstraint("num_nonnulls(org_id, project_id, workspace_id) = 1", name="exactly_one_target"),
        CheckConstraint("old_url ~ '^/.+/$'", name="old_url_form"),
        Index("ix_redirect_old_url", "old_url"),
    )


class SiteAlert(Base):
    """A banner for people who are signed in (spec: domain 3.20), from its start to its end if it has them.

    ``message`` is Markdown.
    """

    __tablename__ = "site_alert"
    unpaired = frozenset({"created", "updated"})

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(default="", server_default="")
    message: Mapped[str]
    level: Mapped[str] = mapped_column(default=AlertLevel.WARNING, server_default="warning")
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    created_by_id: Mapped[int | None] = person(nullable=True)
    updated_at: Mapped[datetime] = mapped_column(default=utcnow)
    updated_by_id: Mapped[int | None] = person(nullable=True)

    __table_args__ = (
        one_of("level", AlertLevel),
        CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        CheckConstraint("length(trim(message)) > 0", name="message_not_blank"),
    )
