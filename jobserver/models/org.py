"""Organisations that take part, and who belongs to them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from jobserver.models.base import Base, utcnow, words_index
from jobserver.models.user import User
from jobserver.models.who_when import person


class Org(Base):
    """An organisation (spec: domain 3.5). Rows made by an operator's command have no creator.

    ``output_checking_repo`` (``owner/name``) and ``output_checking_channel`` are where the checkers of its
    projects are told of release requests; empty for the site's own. ``is_internal``: requests of its members
    are labelled as the service's own. ``has_no_copilots``: the copiloting dashboard
    leaves its projects out.
    """

    __tablename__ = "org"
    unpaired = frozenset({"created", "updated"})

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    slug: Mapped[str] = mapped_column(unique=True)
    description: Mapped[str] = mapped_column(default="", server_default="")
    logo_file: Mapped[str | None]
    github_orgs: Mapped[list[str]] = mapped_column(default=list, server_default="{}")
    is_internal: Mapped[bool] = mapped_column(default=False, server_default="false")
    has_no_copilots: Mapped[bool] = mapped_column(default=False, server_default="false")
    output_checking_repo: Mapped[str] = mapped_column(default="", server_default="")
    output_checking_channel: Mapped[str] = mapped_column(default="", server_default="")
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    created_by_id: Mapped[int | None] = person(nullable=True)
    updated_at: Mapped[datetime] = mapped_column(default=utcnow)
    updated_by_id: Mapped[int | None] = person(nullable=True)

    __table_args__ = (
        CheckConstraint(r"slug ~ '^[-a-zA-Z0-9_]{1,255}$'", name="slug_form"),
        CheckConstraint("length(trim(name)) > 0", name="name_not_blank"),
        CheckConstraint(
            r"output_checking_repo ~ '^([A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+)?$'",
            name="output_checking_repo_form",
        ),
        Index("ix_org_name_lower", text("lower(name)")),
        words_index("org", "name", "slug"),
    )


class OrgMembership(Base):
    """A person's affiliation with an organisation (spec: domain 3.6), until ``ends_at`` if set. No roles."""

    __tablename__ = "org_membership"
    unpaired = frozenset({"created"})

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("org.id", ondelete="RESTRICT"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="RESTRICT"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    created_by_id: Mapped[int | None] = person(nullable=True)
    ends_at: Mapped[datetime | None] = mapped_column(index=True)

    org: Mapped[Org] = relationship(lazy="raise_on_sql")
    user: Mapped[User] = relationship(foreign_keys=[user_id], lazy="raise_on_sql")

    __table_args__ = (Index("uq_org_membership_org_id_user_id", "org_id", "user_id", unique=True),)
