"""Code repositories, and the workspaces tied to one of their branches."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from jobserver.models.base import Base, utcnow, words_index
from jobserver.models.project import Project
from jobserver.models.who_when import Created, SignedOff, Updated, person


class Repo(Base):
    """A GitHub repository (spec: domain 3.10).

    ``is_private``, ``topics`` and ``made_on_github_at`` are what GitHub said when it was last asked,
    ``checked_at``; None if it never answered.
    ``check_failure`` says why the newest asking, if it failed, did.
    """

    __tablename__ = "repo"

    id: Mapped[int] = mapped_column(primary_key=True)
    url: Mapped[str]
    has_github_outputs: Mapped[bool] = mapped_column(default=False, server_default="false")
    internal_signed_off_at: Mapped[datetime | None]
    internal_signed_off_by_id: Mapped[int | None] = person(nullable=True)
    researcher_signed_off_at: Mapped[datetime | None]
    researcher_signed_off_by_id: Mapped[int | None] = person(nullable=True)

    is_private: Mapped[bool | None]
    checked_at: Mapped[datetime | None]
    check_failure: Mapped[str] = mapped_column(default="", server_default="")
    topics: Mapped[list[str]] = mapped_column(default=list, server_default="{}")
    made_on_github_at: Mapped[datetime | None]

    __table_args__ = (
        Index("ix_repo_checked_at", text("checked_at NULLS FIRST")),
        Index("uq_repo_url_lower", text("lower(url)"), unique=True),
        CheckConstraint(
            r"url ~ '^https://github\.com/[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+$' AND url !~* '\.git$'",
            name="url_form",
        ),
    )

    @property
    def owner(self) -> str:
        """First part of the repository's path."""
        return self.url.split("/")[3]

    @property
    def name(self) -> str:
        """Second part of the repository's path."""
        return self.url.split("/")[4]


class Workspace(Created, Updated, SignedOff, Base):
    """A working directory in the backends, tied to one branch of a repository (spec: domain 3.11)."""

    __tablename__ = "workspace"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="RESTRICT"), index=True)
    repo_id: Mapped[int] = mapped_column(ForeignKey("repo.id", ondelete="RESTRICT"), index=True)
    branch: Mapped[str]
    purpose: Mapped[str] = mapped_column(default="", server_default="")
    is_archived: Mapped[bool] = mapped_column(default=False, server_default="false")
    should_notify: Mapped[bool] = mapped_column(default=False, server_default="false")
    uses_new_release_flow: Mapped[bool] = mapped_column(default=True, server_default="true")

    project: Mapped[Project] = relationship(lazy="raise_on_sql")
    repo: Mapped[Repo] = relationship(lazy="raise_on_sql")

    __table_args__ = (
        CheckConstraint(r"name ~ '^[-a-zA-Z0-9_]+$'", name="name_form"),
        CheckConstraint("length(trim(branch)) > 0", name="branch_not_blank"),
        Index("uq_workspace_name_lower", text("lower(name)"), unique=True),
        words_index("workspace", "name"),
    )

    @property
    def path(self) -> tuple[str, str, str]:
        """The names that lead to its page; its project and that one's organisation must be loaded."""
        return (self.project.org.slug, self.project.slug, self.name)


class MutedWorkspace(Base):
    """A workspace about whose requests somebody wants no mail."""

    __tablename__ = "muted_workspace"

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), primary_key=True)
    workspace_id: Mapped[int] = mapped_column(
        ForeignKey("workspace.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
