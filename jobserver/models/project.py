"""Projects: their organisations, their members and what data they may use."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from jobserver.models.base import Base, all_of, one_of, utcnow, words_index
from jobserver.models.choices import (
    DATASET_PERMISSIONS,
    POPULATION_PERMISSIONS,
    PROJECT_ROLES,
    TOOL_PERMISSIONS,
    PermissionKind,
    ProjectCategory,
    ProjectStatus,
)
from jobserver.models.org import Org
from jobserver.models.user import User
from jobserver.models.who_when import Created, Updated, person


class Project(Created, Updated, Base):
    """A public grouping of work on a topic (spec: domain 3.7).

    ``org_id`` is its one lead organisation, below which it lives; the composite foreign key
    makes sure that the lead is also among the project's organisations.
    """

    __tablename__ = "project"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    name: Mapped[str] = mapped_column(unique=True)
    slug: Mapped[str] = mapped_column(unique=True)
    number: Mapped[str | None] = mapped_column(String(20))
    org_id: Mapped[int] = mapped_column(ForeignKey("org.id", ondelete="RESTRICT"), index=True)
    category: Mapped[str] = mapped_column(default=ProjectCategory.UNKNOWN, server_default="unknown")
    status: Mapped[str] = mapped_column(default=ProjectStatus.ONGOING, server_default="ongoing")
    status_description: Mapped[str] = mapped_column(default="", server_default="")
    copilot_id: Mapped[int | None] = person(nullable=True)
    copilot_support_ends_at: Mapped[datetime | None]
    copilot_notes: Mapped[str] = mapped_column(default="", server_default="")

    org: Mapped[Org] = relationship(lazy="raise_on_sql", foreign_keys=[org_id])
    copilot: Mapped[User | None] = relationship(lazy="raise_on_sql", foreign_keys=[copilot_id])

    __table_args__ = (
        CheckConstraint(r"slug ~ '^[-a-zA-Z0-9_]{1,255}$'", name="slug_form"),
        CheckConstraint("length(trim(name)) > 0", name="name_not_blank"),
        CheckConstraint(
            r"number ~ '^([1-9][0-9]{0,8}|POS-20[0-9]{2}-[1-9][0-9]{3})$'", name="number_valid_format"
        ),
        one_of("status", ProjectStatus),
        one_of("category", ProjectCategory),
        Index("uq_project_number", "number", unique=True, postgresql_where=text("number IS NOT NULL")),
        Index("ix_project_name_lower", text("lower(name)")),
        words_index("project", "name", "slug"),
        ForeignKeyConstraint(
            ["id", "org_id"],
            ["project_collaboration.project_id", "project_collaboration.org_id"],
            name="fk_project_lead_org_collaborates",
            deferrable=True,
            initially="DEFERRED",
            use_alter=True,
        ),
    )

    @property
    def title(self) -> str:
        """The name, after the number if there is one."""
        return f"{self.number} - {self.name}" if self.number else self.name


class ProjectCollaboration(Created, Updated, Base):
    """An organisation's part in a project (spec: domain 3.8); the lead is the project's ``org_id``."""

    __tablename__ = "project_collaboration"

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("org.id", ondelete="RESTRICT"), index=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="RESTRICT"))

    org: Mapped[Org] = relationship(lazy="raise_on_sql")

    __table_args__ = (
        Index("uq_project_collaboration_project_id_org_id", "project_id", "org_id", unique=True),
    )


class ProjectMembership(Base):
    """A person's membership of a project, with roles there (spec: domain 3.9), until ``ends_at`` if set.

    Written only by :mod:`jobserver.actions.memberships`, so that the audit log is complete.
    """

    __tablename__ = "project_membership"
    unpaired = frozenset({"created"})

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="RESTRICT"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="RESTRICT"), index=True)
    roles: Mapped[list[str]] = mapped_column(default=list, server_default="{}")
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    created_by_id: Mapped[int | None] = person(nullable=True)
    ends_at: Mapped[datetime | None] = mapped_column(index=True)

    user: Mapped[User] = relationship(lazy="raise_on_sql", foreign_keys=[user_id])
    project: Mapped[Project] = relationship(lazy="raise_on_sql")

    __table_args__ = (
        Index("uq_project_membership_project_id_user_id", "project_id", "user_id", unique=True),
        all_of("roles", [role.value for role in PROJECT_ROLES]),
    )


class DataPermission(Base):
    """Leave for a project to use certain data or a tool, with who gave it, when and why.

    Spec: access 5 and 8.6.

    ``granted_by_id`` is null only for grants carried over from before this table existed.
    """

    __tablename__ = "data_permission"
    unpaired = frozenset({"granted"})

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="RESTRICT"))
    kind: Mapped[str]
    name: Mapped[str]
    reason: Mapped[str]
    granted_at: Mapped[datetime] = mapped_column(default=utcnow)
    granted_by_id: Mapped[int | None] = person(nullable=True)
    revoked_at: Mapped[datetime | None]
    revoked_by_id: Mapped[int | None] = person(nullable=True)

    __table_args__ = (
        one_of("kind", PermissionKind),
        CheckConstraint(
            f"(kind = 'population' AND name IN {POPULATION_PERMISSIONS})"
            f" OR (kind = 'dataset' AND name IN {DATASET_PERMISSIONS})"
            f" OR (kind = 'tool' AND name = '{TOOL_PERMISSIONS[0]}')",
            name="name_known",
        ),
        CheckConstraint("length(trim(reason)) > 0", name="reason_not_blank"),
        Index(
            "uq_data_permission_in_force",
            "project_id",
            "kind",
            "name",
            unique=True,
            postgresql_where=text("revoked_at IS NULL"),
        ),
    )
