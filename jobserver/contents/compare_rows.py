"""Two versions of a table (CSV, TSV): which rows and cells differ, and which columns came and went."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from jobserver.contents import alignment
from jobserver.contents.alignment import CONTEXT, Opcodes, Page, Pair, Shown
from jobserver.contents.columns import Column, by_place, columns_of
from jobserver.contents.cutting import cut
from jobserver.contents.rows import LONGEST_ROW, RowTooLong, find_rows
from jobserver.contents.stretch import Stretch, ends_alike, outside_quotes

# Cells of a row beyond which a file is no table that anybody would read.
MOST_CELLS = 2_000
# As many cells are weighed like one row.
CELLS = 20
# How many columns at the beginning may be needed to tell rows apart.
KEY = 6
# How many columns a page shows, of which so many from the left whatever they hold.
COLUMNS, FIRST = 40, 3


Texts = tuple[str, ...]


class NoTable(Exception):
    """The file cannot be read as a table."""


class Cell(NamedTuple):
    """A cell on both sides, cut to what can be read; None on a side that has no such cell."""

    before: str | None
    after: str | None
    kind: str  # "same", "changed", "added" or "removed"


@dataclass(frozen=True)
class Table:
    """What differs, and the columns that show it; ``hidden`` is how many more the files have.

    ``key``: the names of those that tell which rows belong together, if some do. ``moved``: how many rows
    stand elsewhere than they did, beside others.
    """

    columns: Sequence[Column]
    key: Sequence[str]
    moved: int
    shown: Shown
    hidden: int = 0

    def cells(self, pair: Pair) -> list[Cell]:
        """What a line of the table shows, a cell for each column."""
        return [_cell(pair, column) for column in self.columns]


class Row(Texts):
    """A row of which only the cells in columns of both files count; ``cells`` are all that it has."""

    cells: Sequence[str]


def compare(
    before: Stretch, after: Stretch, page: Page, delimiter: str, *, header: bool, everything: bool
) -> Table:
    """Compare two tables. ``header``: their first rows are names. Raises :class:`NoTable`."""
    before, after = before.without_empty_end(), after.without_empty_end()
    head, tail = _ends(before, after)
    above, below = before.part(0, head), before.part(before.size - tail, before.size)
    middles = before.part(head, before.size - tail), after.part(head, after.size - tail)
    number_above, number_below, *_ = [_number(each) for each in (above, below, *middles)]
    names = [next(_rows(each, delimiter), []) for each in (before, after)]
    columns = columns_of(*names) if header else by_place(*names)
    skipped = int(header)

    def rows(text: Stretch, start: int = 0) -> Iterator[list[str]]:
        return islice(_rows(text, delimiter), start, None)

    if everything:
        page.same(rows(above, skipped))
    else:
        page.skip(max(0, number_above - skipped))
    left, right = (rows(each, 0 if head else skipped) for each in middles)
    match = _Match()
    sides = _with(columns, left, 0), _with(columns, right, 1)
    alignment.align(page, *sides, weigh=lambda row: 1 + len(row) // CELLS, match=match)
    if everything:
        page.same(rows(below))
    else:
        page.skip(number_below)
    return _table(columns, page.end(), match, *map(len, names))


def _table(columns: list[Column], shown: Shown, match: "_Match", before: int, after: int) -> Table:
    both = [column.name for column in columns if column.kind in {"same", "renamed"}]
    columns += _nameless(shown, before, after)
    visible = _visible(columns, shown)
    return Table(visible, both[: match.key], match.moved, shown, len(columns) - len(visible))


def _nameless(shown: Shown, before: int, after: int) -> list[Column]:
    """Columns for the cells that rows have beyond the names."""
    pairs = [each for each in shown.items if isinstance(each, Pair)]
    most = max(
        [len(_cells(each.before)) - before for each in pairs if each.before is not None]
        + [len(_cells(each.after)) - after for each in pairs if each.after is not None],
        default=0,
    )
    return [Column("", before + place, after + place) for place in range(most)]


def _visible(columns: Sequence[Column], shown: Shown) -> list[Column]:
    """As many columns as a page takes: the first, and those in which its rows differ."""
    if len(columns) <= COLUMNS:
        return list(columns)
    differing = {
        place
        for each in shown.items
        if isinstance(each, Pair) and each.kind == "changed"
        for place, column in enumerate(columns)
        if _text(each.before, column.before) != _text(each.after, column.after)
    }
    order = [*range(FIRST), *sorted(differing - set(range(FIRST))), *range(FIRST, len(columns))]
    return [columns[place] for place in sorted(list(dict.fromkeys(order))[:COLUMNS])]


def _text(row: Any, place: int | None) -> str | None:
    if row is None or place is None:
        return None
    cells = _cells(row)
    return cells[place] if place < len(cells) else ""


def _cell(pair: Pair, column: Column) -> Cell:
    before, after = _text(pair.before, column.before), _text(pair.after, column.after)
    if pair.kind in {"added", "removed"}:
        kind = pair.kind
    elif column.before is None or column.after is None:
        kind = column.kind
    else:
        kind = "same" if before == after else "changed"
    return Cell(*cut(before, after), kind)


def _ends(before: Stretch, after: Stretch) -> tuple[int, int]:
    """What both files share at their ends, whole rows.

    Nothing if they begin otherwise: then their columns may differ.
    """
    first, other = (each.buffered().readline(LONGEST_ROW) for each in (before, after))
    if first != other or not first.endswith(b"\n"):
        return 0, 0
    head, tail = ends_alike(before, after, CONTEXT)
    return outside_quotes(before, head, tail)


def _with(columns: Sequence[Column], rows: Iterator[list[str]], side: int) -> Iterator[Any]:
    """The rows, each equal to another if the cells of the columns of both files are."""
    both = [(each.before, each.after) for each in columns]
    places = [pair[side] for pair in both if None not in pair]
    width = sum(pair[side] is not None for pair in both)
    if places == list(range(width)):
        return rows
    return (_row(cells, places, width) for cells in rows)


def _row(cells: list[str], places: Sequence[Any], width: int) -> Row:
    # Cells that a row is short of are empty; those beyond the names are compared, too.
    row = Row([cells[at] if at < len(cells) else "" for at in places] + cells[width:])
    row.cells = cells
    return row


def _cells(row: Any) -> Sequence[str]:
    return row.cells if isinstance(row, Row) else row


class _Match:
    """Which rows belong together: those whose first cells are alike, if these tell all rows apart."""

    def __init__(self) -> None:
        self.key = self.moved = 0

    def __call__(self, left: Sequence[Any], right: Sequence[Any]) -> Opcodes:
        """As :func:`jobserver.contents.alignment.opcodes`."""
        before, after = [tuple(each) for each in left], [tuple(each) for each in right]
        self.key = _key(before, after)
        if self.key:
            return self._by_key(before, after)
        return [code for each in alignment.opcodes(before, after) for code in _paired(*each)]

    def _by_key(self, before: Sequence[Texts], after: Sequence[Texts]) -> Opcodes:
        places = {row[: self.key]: place for place, row in enumerate(before)}
        kept = {row[: self.key] for row in after}
        found: list[tuple[str, int, int, int, int]] = []
        at = 0
        for j, row in enumerate(after):
            i = places.get(row[: self.key])
            if i is None:
                found.append(("insert", at, at, j, j + 1))
                continue
            found += [("delete", k, k + 1, j, j) for k in range(at, i) if before[k][: self.key] not in kept]
            self.moved += i < at
            at = max(at, i + 1)
            found.append(("equal" if before[i] == row else "changed", i, i + 1, j, j + 1))
        gone = [k for k in range(at, len(before)) if before[k][: self.key] not in kept]
        return [*found, *[("delete", k, k + 1, len(after), len(after)) for k in gone]]


def _key(before: Sequence[Texts], after: Sequence[Texts]) -> int:
    """How many cells from the left tell all rows of either side apart, and are mostly on both; 0 if none."""
    width = min([len(row) for row in before[:1]] + [len(row) for row in after[:1]], default=0)
    for key in range(1, min(KEY, width - 1) + 1):
        ours, theirs = {row[:key] for row in before}, {row[:key] for row in after}
        if len(ours) == len(before) and len(theirs) == len(after):
            return key if 2 * len(ours & theirs) >= min(len(ours), len(theirs)) else 0
    return 0


def _paired(tag: str, i1: int, i2: int, j1: int, j2: int) -> Iterator[tuple[str, int, int, int, int]]:
    """Of rows that were replaced by more or fewer: as many as there are have changed."""
    if tag != "replace":
        yield tag, i1, i2, j1, j2
        return
    both = min(i2 - i1, j2 - j1)
    yield "changed", i1, i1 + both, j1, j1 + both
    yield "delete", i1 + both, i2, j1 + both, j1 + both
    yield "insert", i2, i2, j1 + both, j2


def _number(text: Stretch) -> int:
    """How many rows there are. Raises :class:`NoTable` if one of them never ends."""
    try:
        return find_rows(text.buffered()).total
    except RowTooLong as error:
        raise NoTable from error


def _rows(text: Stretch, delimiter: str) -> Iterator[list[str]]:
    """The cells of each row, of which none is endless: somebody has counted them."""
    lines = io.TextIOWrapper(text.buffered(), "utf-8-sig", errors="replace", newline="")
    try:
        for row in csv.reader(lines, delimiter=delimiter):
            if len(row) > MOST_CELLS:
                raise NoTable
            yield row
    except csv.Error as error:
        raise NoTable from error
