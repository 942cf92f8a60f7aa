"""What all tables share: names of constraints, times, checks for choices and for who/when pairs."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import ARRAY, CheckConstraint, DateTime, Index, MetaData, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


def utcnow() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


class Base(DeclarativeBase):
    """Base of all models.

    A table that has both ``<stem>_at`` and ``<stem>_by_id`` gets a CHECK that holds the two
    together: never null where both are required, otherwise both or neither. Stems that a
    model names in ``unpaired`` are left alone (spec: domain 9).
    """

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: DateTime(timezone=True),
        str: Text(),
        list[str]: ARRAY(Text()),
        dict[str, Any]: JSONB(none_as_null=True),
    }
    unpaired: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        table = cls.__dict__.get("__table__")
        if isinstance(table, Table):
            _hold_pairs_together(table, cls.unpaired)


def _hold_pairs_together(table: Table, unpaired: frozenset[str]) -> None:
    for at in list(table.columns):
        stem = at.name.removesuffix("_at")
        by = table.columns.get(f"{stem}_by_id")
        if stem == at.name or by is None or stem in unpaired:
            continue
        if at.nullable:
            rule = f"({at.name} IS NULL) = ({by.name} IS NULL)"
        else:
            rule = f"{at.name} IS NOT NULL AND {by.name} IS NOT NULL"
        table.append_constraint(CheckConstraint(rule, name=f"{stem}_pair"))


def one_of(column: str, choices: type[StrEnum]) -> CheckConstraint:
    """A CHECK that the column holds a value of the enumeration."""
    values = ", ".join(f"'{choice.value}'" for choice in choices)
    return CheckConstraint(f"{column} IN ({values})", name=f"{column}_known")


def all_of(column: str, choices: list[str]) -> CheckConstraint:
    """A CHECK that the text array holds values of the list only."""
    values = ", ".join(f"'{choice}'" for choice in choices)
    return CheckConstraint(f"{column} <@ ARRAY[{values}]::text[]", name=f"{column}_known")


def words_of(column: str) -> str:
    """SQL for the words of a column, as search compares them: parts of compound names count as words."""
    # In the form in which PostgreSQL gives it back, so that models and database can be compared.
    return (
        f"to_tsvector('simple'::regconfig, "
        f"translate(COALESCE({column}, ''::text), '-_./@+'::text, '      '::text))"
    )


def words_index(table: str, *columns: str) -> Index:
    """The index with which search finds rows of the table by words of any of these columns."""
    return Index(f"ix_{table}_words", *[text(words_of(each)) for each in columns], postgresql_using="gin")
