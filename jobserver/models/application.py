"""Applications for projects, their pages and the researchers they name."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from jobserver.models.base import Base, one_of
from jobserver.models.choices import ApplicationStatus
from jobserver.models.project import Project
from jobserver.models.who_when import Created, Deleted, person


class Application(Created, Deleted, Base):
    """A researcher's application for a project (spec: domain 3.23, applications 1.1).

    ``study_name`` is that of its page on the study, empty until that is saved.
    """

    __tablename__ = "application"

    id: Mapped[int] = mapped_column(primary_key=True)
    status: Mapped[str] = mapped_column(default=ApplicationStatus.ONGOING, server_default="ongoing")
    status_comment: Mapped[str] = mapped_column(default="", server_default="")
    study_name: Mapped[str] = mapped_column(default="", server_default="")
    submitted_at: Mapped[datetime | None]
    submitted_by_id: Mapped[int | None] = person(nullable=True)
    approved_at: Mapped[datetime | None]
    approved_by_id: Mapped[int | None] = person(nullable=True)
    project_id: Mapped[int | None] = mapped_column(ForeignKey("project.id", ondelete="RESTRICT"))

    project: Mapped[Project | None] = relationship(lazy="raise_on_sql")

    __table_args__ = (
        one_of("status", ApplicationStatus),
        Index(
            "uq_application_project_id",
            "project_id",
            unique=True,
            postgresql_where=text("project_id IS NOT NULL"),
        ),
        Index("ix_application_created_at", text("created_at DESC"), text("id DESC")),
    )

    @property
    def hash(self) -> str:
        """The public id (spec: domain 2): four hexadecimal digits, or more where four do not suffice."""
        return f"{self.id:04x}"
