"""Who did it and when: pairs of columns that belong together.

Each mixin adds ``<stem>_at`` and ``<stem>_by_id``; the CHECK that holds them together comes
from :class:`jobserver.models.base.Base`. ``Created`` and ``Updated`` are never null; the others
are both set or both null.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, MappedColumn, Relationship, declared_attr, mapped_column, relationship

from jobserver.models.base import utcnow

if TYPE_CHECKING:
    from jobserver.models.user import User


def person(*, nullable: bool) -> Any:
    """A column that names a user, whom nobody can delete while the row is there."""
    return mapped_column(ForeignKey("user.id", ondelete="RESTRICT"), nullable=nullable, index=True)


def _by(*, nullable: bool) -> MappedColumn[Any]:
    column: MappedColumn[Any] = person(nullable=nullable)
    return column


def _relation(cls: Any, stem: str) -> Relationship[User]:
    return relationship("User", foreign_keys=lambda: [getattr(cls, f"{stem}_by_id")], lazy="raise_on_sql")


class Created:
    """When the row was made and by whom."""

    created_at: Mapped[datetime] = mapped_column(default=utcnow)

    @declared_attr
    def created_by_id(cls) -> Mapped[int]:  # noqa: N805
        return _by(nullable=False)

    @declared_attr
    def created_by(cls) -> Mapped[User]:  # noqa: N805
        return _relation(cls, "created")


class Updated:
    """When the row was last changed and by whom; whoever writes the row sets both."""

    updated_at: Mapped[datetime] = mapped_column(default=utcnow)

    @declared_attr
    def updated_by_id(cls) -> Mapped[int]:  # noqa: N805
        return _by(nullable=False)

    @declared_attr
    def updated_by(cls) -> Mapped[User]:  # noqa: N805
        return _relation(cls, "updated")

    def touch(self, by_id: int) -> None:
        """Record a change by the user of this id, now."""
        self.updated_at = utcnow()
        self.updated_by_id = by_id


class Deleted:
    """When the row was withdrawn and by whom, if it was."""

    deleted_at: Mapped[datetime | None]

    @declared_attr
    def deleted_by_id(cls) -> Mapped[int | None]:  # noqa: N805
        return _by(nullable=True)


class SignedOff:
    """When the thing was signed off and by whom, if it was."""

    signed_off_at: Mapped[datetime | None]

    @declared_attr
    def signed_off_by_id(cls) -> Mapped[int | None]:  # noqa: N805
        return _by(nullable=True)
