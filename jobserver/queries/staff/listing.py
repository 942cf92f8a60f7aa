"""Lists of the staff area: searched, filtered and sorted by what an address says, read a page at a time.

A page is found by its neighbour (the id of the row before or after it), so that the last of a long list costs
as much as the first. ``page=<number>`` counts rows and is there for old bookmarks (spec: staff 1.3).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, func, or_, select, tuple_
from sqlalchemy.orm import Session

Row = TypeVar("Row")
PAGE = 25
# Counting stops here: of longer lists nobody needs the number.
MOST_COUNTED = 50_000
MOST_EXPORTED = 20_000


@dataclass(frozen=True)
class Option:
    """A value that a filter offers, and how many rows have it, if that is known.

    One with the value "" is the heading of those after it.
    """

    value: str
    label: str
    count: int | None = None

    @property
    def words(self) -> str:
        """The label with the count."""
        return self.label if self.count is None else f"{self.label} ({self.count:,})"

    @property
    def pair(self) -> tuple[str, str]:
        """As a menu takes it."""
        return (self.value, self.words)


@dataclass(frozen=True)
class Filter:
    """Rows that have one of the values chosen. Without ``options`` the value is typed.

    ``fault`` says what is wrong with a value that is typed, "" if nothing; ``type`` is that of its field.
    """

    name: str
    label: str
    condition: Callable[[Sequence[str]], ColumnElement[bool]]
    options: Callable[[Session], list[Option]] | None = None
    hint: str = ""
    fault: Callable[[str], str] | None = None
    type: str = "text"


@dataclass(frozen=True)
class Sort:
    """An order of the rows: columns that are never null; ids decide between equals."""

    name: str
    label: str
    columns: tuple[Any, ...]
    descending: bool = False


@dataclass(frozen=True)
class Asked:
    """What an address asks of a list: words, values by filter, an order, and the page.

    ``after`` and ``before`` are ids of rows; ``page`` is a number, or ``"last"``.
    """

    q: str = ""
    values: Mapping[str, Sequence[str]] = field(default_factory=dict)
    sort: str = ""
    after: int | None = None
    before: int | None = None
    page: int | str | None = None

    @property
    def is_narrowed(self) -> bool:
        """Whether anything is left out."""
        return bool(self.q or self.values)


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Some rows of a list. ``total`` is None where there are more than are counted."""

    rows: list[Row]
    ids: list[int]
    total: int | None
    has_previous: bool
    has_next: bool


@dataclass(frozen=True)
class StaffList(Generic[Row]):
    """A list. ``columns`` gives ``make`` its values, of which the first is the row's id."""

    noun: tuple[str, ...]
    id_column: Any
    columns: Select[*tuple[Any, ...]]
    make: Callable[..., Row]
    sorts: tuple[Sort, ...]
    header: tuple[str, ...]
    cells: Callable[[Row], Sequence[Any]]
    search: Callable[[str], ColumnElement[bool]] | None = None
    search_label: str = ""
    filters: tuple[Filter, ...] = ()
    conditions: tuple[ColumnElement[bool], ...] = ()
    most_counted: int = MOST_COUNTED

    def sort(self, asked: Asked) -> Sort:
        """The order asked for, else the first."""
        return next((each for each in self.sorts if each.name == asked.sort), self.sorts[0])

    def count(self, db: Session, asked: Asked | None = None) -> int | None:
        """How many rows there are; None if more than are counted."""
        found = self._ids(asked or Asked()).limit(self.most_counted + 1).subquery()
        number = db.scalar(select(func.count()).select_from(found)) or 0
        return None if number > self.most_counted else number

    def page(self, db: Session, asked: Asked) -> Page[Row] | None:
        """The page asked for; None if the list has no such page."""
        total = self.count(db, asked)
        sort = self.sort(asked)
        backwards = asked.before is not None or asked.page == "last"
        statement = self._ordered(asked, sort, backwards)
        size = PAGE
        if isinstance(asked.page, int):
            statement = statement.offset((asked.page - 1) * PAGE)
        elif asked.page == "last" and total is not None:
            size = (total - 1) % PAGE + 1 if total else PAGE
        neighbour = asked.after or asked.before
        if neighbour is not None:
            key = db.execute(select(*sort.columns, self.id_column).where(self.id_column == neighbour)).first()
            if key is None:
                return None
            statement = statement.where(_beyond(sort, self.id_column, tuple(key), backwards))
        ids = list(db.scalars(statement.limit(size + 1)))
        if isinstance(asked.page, int) and asked.page > 1 and not ids:
            return None
        more, ids = len(ids) > size, ids[:size]
        if backwards:
            ids.reverse()
        at_start = neighbour is None and asked.page in {None, 1}
        return Page(
            rows=self.rows(db, ids),
            ids=ids,
            total=total,
            has_previous=more if backwards else not at_start,
            has_next=asked.before is not None if backwards else more,
        )

    def rows(self, db: Session, ids: Sequence[int]) -> list[Row]:
        """The rows of these ids, in their order."""
        if not ids:
            return []
        found = {row[0]: self.make(*row) for row in db.execute(self.columns.where(self.id_column.in_(ids)))}
        return [found[id_] for id_ in ids if id_ in found]

    def all_rows(self, db: Session, asked: Asked) -> list[Row]:
        """Every row that is asked for, as far as a file may have them."""
        ids = list(db.scalars(self._ordered(asked, self.sort(asked), False).limit(MOST_EXPORTED)))
        return [row for begin in range(0, len(ids), 1000) for row in self.rows(db, ids[begin : begin + 1000])]

    def _ids(self, asked: Asked) -> Select[int]:
        statement = select(self.id_column).where(*self.conditions)
        if asked.q and self.search is not None:
            statement = statement.where(self.search(asked.q))
        for each in self.filters:
            if asked.values.get(each.name):
                statement = statement.where(each.condition(asked.values[each.name]))
        return statement

    def _ordered(self, asked: Asked, sort: Sort, backwards: bool) -> Select[int]:
        columns = (*sort.columns, self.id_column)
        down = sort.descending != backwards
        return self._ids(asked).order_by(*[column.desc() if down else column.asc() for column in columns])


def _beyond(sort: Sort, id_column: Any, key: tuple[Any, ...], backwards: bool) -> ColumnElement[bool]:
    here = tuple_(*sort.columns, id_column)
    there = tuple_(*key)
    found: ColumnElement[bool] = here < there if sort.descending != backwards else here > there
    return found


def contains(q: str, *columns: Any) -> ColumnElement[bool]:
    """One of the columns has what was typed somewhere in it, in whatever case (spec: staff, notation)."""
    # ILIKE would put the pattern itself in lower case again for every row.
    sought = func.lower(q.replace("/", "//").replace("%", "/%").replace("_", "/_"))
    return or_(*[func.lower(column).contains(sought, escape="/") for column in columns])
