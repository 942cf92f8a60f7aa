"""A table as a page shows it: its columns, up to a thousand of its rows, and what is to be said of them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO, NamedTuple

from jobserver.contents.kept import Kept
from jobserver.contents.numbers import REDACTED, is_missing, number_of
from jobserver.contents.orders import Question, answer
from jobserver.contents.rows import Rows, find_rows, read_rows
from jobserver.contents.text import Trimmer, visible

PAGE = 1_000
MOST_COLUMNS = 500
# Cells on a page, and characters: of one cell, of all, of one when all are used up, of the name of a column.
MOST_CELLS = 50_000
LONGEST_CELL, MOST_TEXT, THEN, LONGEST_NAME = 1_000, 1_000_000, 8, 200
# By so many rows it is judged what a column holds.
SAMPLE = 1_000
# Bytes, and rows: what has more is neither sorted nor filtered.
LARGEST_ASKED, MOST_ROWS_ASKED = 32 * 1024 * 1024, 2_000_000
# Counts from 1 to 7 may say something about single persons.
_SMALL = re.compile(r"\s*\+?0*[1-7](?:\.0*)?\s*")


class Cell(NamedTuple):
    """A cell: its text, whether it stands on the right, and whether it is a small count or was redacted."""

    text: str
    is_right: bool = False
    is_small: bool = False
    is_redacted: bool = False


@dataclass(frozen=True)
class Column:
    """A column; ``number`` counts from 1. Its cells are numbers; some of them are whole, perhaps counts.

    One word such as ``<8``, or a mean beside the counts, must not keep the others from being looked at.
    """

    number: int
    name: str
    is_number: bool = False
    has_counts: bool = False


@dataclass(frozen=True)
class Table:
    """What holds for all pages of a table, as its first rows show it. ``width`` is that of the widest."""

    rows: Rows
    columns: tuple[Column, ...]
    width: int
    may_be_asked: bool
    is_broken: bool

    @property
    def weight(self) -> int:
        """Roughly how many bytes it takes to keep it."""
        return 12 * len(self.rows.starts) + sum(200 + len(column.name) for column in self.columns)


@dataclass(frozen=True)
class Sheet:
    """One page. ``total`` rows are in the file without the header, ``found`` of them answer the question."""

    columns: tuple[Column, ...]
    rows: list[tuple[int, list[Cell]]]
    width: int
    total: int
    found: int
    small: int
    is_cut: bool
    is_broken: bool


# Threads that read a table or wait for that, and as many that sort and filter: a long one takes seconds, and
# a process has eight.
_AT_ONCE = 3
_tables: Kept[Table] = Kept(8_000_000, lambda table: table.weight, _AT_ONCE)
_orders: Kept[Sequence[int]] = Kept(2_200_000, lambda order: 100 + len(order), _AT_ONCE)


def table_of(file: BinaryIO, key: str) -> Table:
    """The table in a file; ``key`` stands for its content. Raises RowTooLong and NotNow."""
    return _tables.get(key, partial(_table, file))


def order_of(file: BinaryIO, key: str, table: Table, question: Question) -> Sequence[int]:
    """The numbers of the rows that answer the question. Raises NotNow."""
    if question.is_plain:
        return answer(file, table.rows, question)
    return _orders.get((key, question), partial(answer, file, table.rows, question))


def page_size(table: Table) -> int:
    """How many rows are on a page; fewer of those that are very wide."""
    return min(PAGE, MOST_CELLS // max(1, min(table.width, MOST_COLUMNS)))


def sheet_of(file: BinaryIO, table: Table, order: Sequence[int], question: Question, page: int) -> Sheet:
    """A page of the rows in this order; pages count from 1."""
    size = page_size(table)
    numbers = order[(page - 1) * size : page * size]
    reader = _Reader(Trimmer(LONGEST_CELL, MOST_TEXT, THEN))
    found, is_broken = read_rows(file, table.rows, numbers, reader.cut)
    columns = _widened(table.columns, reader.width)
    rows = [(number + 1 - question.first, _cells(columns, found[number])) for number in numbers]
    return Sheet(
        columns=columns,
        rows=rows,
        width=max(table.width, reader.width),
        total=max(0, table.rows.total - question.first),
        found=len(order),
        small=sum(cell.is_small for _, row in rows for cell in row),
        is_cut=reader.trimmer.has_cut,
        is_broken=is_broken or table.is_broken,
    )


class _Reader:
    """Takes rows as they are read, and leaves of them what fits a page."""

    def __init__(self, trimmer: Trimmer) -> None:
        self.trimmer = trimmer
        self.width = 0

    def cut(self, row: list[str]) -> list[str]:
        self.width = max(self.width, len(row))
        return [self.trimmer.cut(cell) for cell in row[:MOST_COLUMNS]]


def _table(file: BinaryIO) -> Table:
    rows = find_rows(file)
    reader = _Reader(Trimmer(LONGEST_NAME, MOST_TEXT, LONGEST_NAME))
    found, is_broken = read_rows(file, rows, range(min(rows.total, SAMPLE + 1)), reader.cut)
    sample = [found[number] for number in sorted(found)]
    names = sample[0] if sample else []
    columns = tuple(
        _column(at, visible(name).strip(), [row[at] for row in sample[1:] if at < len(row)])
        for at, name in enumerate(names)
    )
    may_be_asked = rows.end <= LARGEST_ASKED and rows.total <= MOST_ROWS_ASKED
    return Table(rows, columns, reader.width, may_be_asked, is_broken)


def _column(at: int, name: str, values: list[str]) -> Column:
    numbers = {value: number_of(value) for value in values if not is_missing(value)}
    is_number = bool(numbers) and None not in numbers.values()
    # Without a name it numbers the rows, as R and pandas do.
    has_counts = bool(name) and any(
        number is not None and number.is_integer() and "%" not in value for value, number in numbers.items()
    )
    return Column(at + 1, name, is_number, has_counts)


def _widened(columns: tuple[Column, ...], width: int) -> tuple[Column, ...]:
    """The columns, and some without a name for rows that are longer than the first."""
    return columns + tuple(Column(at + 1, "") for at in range(len(columns), min(width, MOST_COLUMNS)))


def _cells(columns: tuple[Column, ...], row: list[str]) -> list[Cell]:
    cells = [_cell(column, text) for column, text in zip(columns, row, strict=False)]
    return cells + [Cell("", column.is_number) for column in columns[len(cells) :]]


def _cell(column: Column, text: str) -> Cell:
    if column.has_counts and _SMALL.fullmatch(text):
        return Cell(text, column.is_number, is_small=True)
    if REDACTED in text and text.strip() == REDACTED:
        return Cell(text, column.is_number, is_redacted=True)
    return Cell(visible(text), column.is_number)
