"""Tokens with which people's and bots' programs read the JSON API."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from jobserver.models.base import Base, all_of, utcnow
from jobserver.models.choices import TokenScope
from jobserver.models.user import User
from jobserver.models.who_when import person


class PersonalToken(Base):
    """A token that reads what its owner may read, within its scopes (spec: access 4.8, 8.3).

    Only a digest is kept. ``last_used_at`` is at most an hour behind.
    """

    __tablename__ = "personal_token"
    unpaired = frozenset({"created"})

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="RESTRICT"))
    name: Mapped[str]
    digest: Mapped[str] = mapped_column(unique=True)
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    created_by_id: Mapped[int | None] = person(nullable=True)
    expires_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    revoked_by_id: Mapped[int | None] = person(nullable=True)

    user: Mapped[User] = relationship(foreign_keys=[user_id], lazy="raise_on_sql")

    __table_args__ = (
        all_of("scopes", [scope.value for scope in TokenScope]),
        CheckConstraint("length(trim(name)) > 0", name="name_not_blank"),
        Index("ix_personal_token_user_id", "user_id", "id"),
    )
