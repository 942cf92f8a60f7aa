"""Which rows of a table answer a question, and in which order: a filter, a sort, or both.

A million rows are sorted by SQLite in a file of its own that goes when it is closed, not in memory.
"""

import json
import sqlite3
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import BinaryIO

from jobserver.contents.kept import NotNow
from jobserver.contents.numbers import sort_key
from jobserver.contents.rows import Rows, cells
from jobserver.contents.text import decoded

# Characters of a word that count when rows are sorted; cells whose key is remembered; rows that are handed to
# SQLite at a time.
LONGEST_KEY = 200
MOST_KEYS = 10_000
AT_ONCE = 2_000
_ORDERS = {
    False: "SELECT place FROM row ORDER BY key NULLS LAST, place",
    True: "SELECT place FROM row ORDER BY key DESC NULLS LAST, place",
}
Key = float | str | None


@dataclass(frozen=True)
class Question:
    """Which rows are wanted: with these words in a cell, or in this column; and by which column they stand.

    Columns count from 0. ``first`` is 1 if the first row is the header, which stays where it is.
    """

    words: str = ""
    column: int | None = None
    sort: int | None = None
    descending: bool = False
    first: int = 1

    @property
    def is_plain(self) -> bool:
        """Whether all rows are wanted as they stand."""
        return not self.words and self.sort is None


def answer(file: BinaryIO, rows: Rows, question: Question) -> Sequence[int]:
    """The numbers of the rows, in order. Raises NotNow if there is no room on the disk for sorting."""
    if question.is_plain:
        return range(min(question.first, rows.total), rows.total)
    numbers = array("I")
    if question.sort is None:
        for found, _ in _matching(file, rows, question):
            numbers.extend(found)
        return numbers
    at, known = question.sort, _Keys()

    def keys() -> Iterator[list[Key]]:
        for found, block in _matching(file, rows, question):
            numbers.extend(found)
            yield [known[row[at]] if at < len(row) else None for row in block]

    places = _sorted(keys(), descending=question.descending)
    try:
        return array("I", map(numbers.__getitem__, places))
    except sqlite3.Error as error:
        raise NotNow from error


def _matching(
    file: BinaryIO, rows: Rows, question: Question
) -> Iterator[tuple[Sequence[int], list[list[str]]]]:
    """The rows with the words, a block at a time: their numbers and their cells."""
    needle = question.words.casefold()
    # What the file may write otherwise than it reads can only be looked for cell by cell.
    is_written_so = not set(needle) & set('"\r\n\x1f')
    for first, data in rows.every_block(file):
        text = decoded(data)[0]
        if is_written_so and needle not in text.casefold():
            continue
        block = list(cells(text))
        numbers: Sequence[int] = range(first, first + len(block))
        if first < question.first:
            numbers, block = numbers[question.first :], block[question.first :]
        if needle:
            kept = [at for at, row in enumerate(block) if needle in _words(row, question.column)]
            numbers, block = [numbers[at] for at in kept], [block[at] for at in kept]
        yield numbers, block


def _words(row: list[str], column: int | None) -> str:
    if column is None:
        return "\x1f".join(row).casefold()
    return row[column].casefold() if column < len(row) else ""


class _Keys(dict[str, Key]):
    """Keys by cell: columns of words say the same again and again."""

    def __missing__(self, cell: str) -> Key:
        key = sort_key(cell)
        if isinstance(key, str):
            key = key[:LONGEST_KEY]
        elif key is not None and key.is_integer() and abs(key) < 2**53:
            # Quicker to write and to read.
            key = int(key)
        if len(self) < MOST_KEYS:
            self[cell] = key
        return key


def _sorted(keys: Iterable[list[Key]], *, descending: bool) -> Iterator[int]:
    """The places of the keys, from 0, in order; equal ones as they come, nothing last either way."""
    part: list[Key] = []
    with closing(sqlite3.connect("", isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = OFF")
        db.execute("PRAGMA cache_size = -8000")
        db.execute("CREATE TABLE row (place INTEGER PRIMARY KEY, key)")
        db.execute("BEGIN")
        # A statement for each row would take twice the time.
        insert = "INSERT INTO row (key) SELECT value FROM json_each(?)"
        for more in keys:
            part += more
            if len(part) >= AT_ONCE:
                db.execute(insert, (json.dumps(part),))
                part.clear()
        db.execute(insert, (json.dumps(part),))
        for (place,) in db.execute(_ORDERS[descending]):
            yield place - 1
