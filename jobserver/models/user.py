"""People, the GitHub accounts they sign in with, and their sessions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from jobserver.models.base import Base, all_of, one_of, utcnow, words_index
from jobserver.models.choices import GLOBAL_ROLES, MailChoice, MailKind
from jobserver.models.who_when import person


class User(Base):
    """A person or bot that can sign in or be named as the author of something (spec: domain 3.1).

    Users are never deleted; they are disabled.
    """

    __tablename__ = "user"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str]
    email: Mapped[str | None]
    fullname: Mapped[str]
    date_joined: Mapped[datetime] = mapped_column(default=utcnow)
    last_login: Mapped[datetime | None]
    roles: Mapped[list[str]] = mapped_column(default=list, server_default="{}")
    pat_token: Mapped[str | None]
    pat_expires_at: Mapped[datetime | None]
    login_token: Mapped[str | None]
    login_token_expires_at: Mapped[datetime | None]
    login_token_failures: Mapped[int] = mapped_column(default=0, server_default="0")
    disabled_at: Mapped[datetime | None]
    disabled_by_id: Mapped[int | None] = person(nullable=True)

    __table_args__ = (
        Index("uq_user_username_lower", text("lower(username)"), unique=True),
        Index("uq_user_email_lower", text("lower(email)"), unique=True),
        Index("ix_user_fullname", text("lower(fullname)"), text("lower(username)")),
        words_index("user", "username", "fullname"),
        Index("uq_user_pat_token", "pat_token", unique=True),
        CheckConstraint(r"username ~ '^[[:alnum:]_.+-]+$'", name="username_form"),
        CheckConstraint("email IS NULL OR length(trim(email)) > 2", name="email_not_blank"),
        CheckConstraint("length(trim(fullname)) > 0", name="fullname_not_blank"),
        CheckConstraint(
            "(pat_token IS NULL) = (pat_expires_at IS NULL)", name="both_pat_token_and_pat_expires_at"
        ),
        CheckConstraint(
            "(login_token IS NULL) = (login_token_expires_at IS NULL)",
            name="both_login_token_and_login_token_expires_at",
        ),
        all_of("roles", [role.value for role in GLOBAL_ROLES]),
    )


class GithubIdentity(Base):
    """The GitHub account that a user signs in with, known by GitHub's own id (spec: domain 3.2)."""

    __tablename__ = "github_identity"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="RESTRICT"), index=True)
    provider: Mapped[str] = mapped_column(default="github", server_default="github")
    uid: Mapped[str]
    login: Mapped[str]
    extra_data: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    modified_at: Mapped[datetime] = mapped_column(default=utcnow)

    user: Mapped[User] = relationship(lazy="raise_on_sql")

    __table_args__ = (
        Index("uq_github_identity_provider_uid", "provider", "uid", unique=True),
        CheckConstraint("uid <> ''", name="uid_not_empty"),
        CheckConstraint("provider IN ('github')", name="provider_known"),
    )


class UserSession(Base):
    """One signed-in browser. Only a digest of the cookie's value is kept."""

    __tablename__ = "user_session"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    digest: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    expires_at: Mapped[datetime] = mapped_column(index=True)
    user_agent: Mapped[str] = mapped_column(default="", server_default="")
    address: Mapped[str] = mapped_column(default="", server_default="")


class EmailChange(Base):
    """A wish to have another email address, until its owner follows the link mailed there.

    One for each person. Only a digest of the link's token is kept.
    """

    __tablename__ = "email_change"

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), primary_key=True)
    email: Mapped[str]
    digest: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    expires_at: Mapped[datetime]


class MailPreference(Base):
    """When somebody wants one kind of mail; without a row, always."""

    __tablename__ = "mail_preference"

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    choice: Mapped[str]

    __table_args__ = (one_of("kind", MailKind), one_of("choice", MailChoice))
