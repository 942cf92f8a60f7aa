"""Where the rows of a CSV file are, found without reading its cells.

A row ends as the `csv` module of the standard library says, which reads the cells later: a line end within
quotes is part of a cell, and a quote within a cell that did not begin with one is a quote.
"""

import csv
import io
import re
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from jobserver.contents.text import BOM, decoded

# Bytes: what is read at a time; how far apart the rows are whose places are remembered; what a row may have.
CHUNK = 256 * 1024
BLOCK = 4 * 1024
LONGEST_ROW = 1024 * 1024
# The library refuses longer cells, and its own limit is shorter than our rows. One that is not refused yet
# may still grow by what is read next.
csv.field_size_limit(LONGEST_ROW + CHUNK)

_CELL = rb'(?:"[^"]*+(?:""[^"]*+)*+"[^,\r\n]*+|[^",\r\n][^,\r\n]*+)?+'
_ROW = re.compile(_CELL + rb"(?:," + _CELL + rb")*+(?:\r\n?|\n)")
# Lines that are a row each: cells with quotes begin and end with them and hold no line end.
_PLAIN = re.compile(rb'(?:[^"]*+(?<![^,\n])"[^"\r\n]*+(?:""[^"\r\n]*+)*+"(?![^,\r\n]))*+[^"]*+\Z')


class RowTooLong(Exception):
    """A row has more bytes than one may have: this is no table, or a quote is never closed."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(f"row {number} is longer than {LONGEST_ROW} bytes")


@dataclass(frozen=True)
class Rows:
    """The places of some rows: ``starts`` in bytes, ``firsts`` their numbers from 0; ``end`` of the last."""

    starts: "array[int]"
    firsts: "array[int]"
    total: int
    end: int

    def blocks(self, file: BinaryIO, numbers: Iterable[int]) -> Iterator[tuple[int, bytes]]:
        """The pieces of the file that hold these rows, in their order there; each with its first row."""
        for at in sorted({bisect_right(self.firsts, number) - 1 for number in numbers}):
            yield self.firsts[at], self._read(file, at)

    def every_block(self, file: BinaryIO) -> Iterator[tuple[int, bytes]]:
        """All pieces of the file."""
        for at, first in enumerate(self.firsts):
            yield first, self._read(file, at)

    def _read(self, file: BinaryIO, at: int) -> bytes:
        stop = self.starts[at + 1] if at + 1 < len(self.starts) else self.end
        file.seek(self.starts[at])
        return file.read(stop - self.starts[at])


def find_rows(file: BinaryIO) -> Rows:
    """The places of the rows; empty ones at the end do not count. Raises RowTooLong."""
    start = len(BOM) if file.seek(0) == 0 and file.read(len(BOM)) == BOM else 0
    end = _end(file, start)
    starts, firsts, number = array("Q"), array("I"), 0
    file.seek(start)
    rest, place = b"", start
    while place + len(rest) < end:
        data = rest + file.read(min(CHUNK, end - place - len(rest)))
        at = 0
        while True:
            stop, found = _block(data, at)
            if not found:
                break
            starts.append(place + at)
            firsts.append(number)
            at, number = stop, number + found
        rest, place = data[at:], place + at
        if len(rest) > LONGEST_ROW:
            raise RowTooLong(number + 1)
    if rest:
        # The last one, without an end of its own.
        starts.append(place)
        firsts.append(number)
        number += 1
    return Rows(starts, firsts, number, end)


def read_rows(
    file: BinaryIO, rows: Rows, numbers: Iterable[int], cut: Callable[[list[str]], list[str]]
) -> tuple[dict[int, list[str]], bool]:
    """The cells of these rows, each as ``cut`` leaves them, and whether some were no UTF-8."""
    wanted = set(numbers)
    found: dict[int, list[str]] = {}
    is_broken = False
    for first, data in rows.blocks(file, wanted):
        text, broken = decoded(data)
        is_broken = is_broken or broken
        for number, row in enumerate(cells(text), first):
            if number in wanted:
                found[number] = cut(row)
    return found, is_broken


def cells(text: str) -> Iterator[list[str]]:
    """The cells of each row of a text."""
    return csv.reader(io.StringIO(text, newline=""))


def _end(file: BinaryIO, start: int) -> int:
    """Where the last row ends that is not empty."""
    end = file.seek(0, io.SEEK_END)
    while end > start:
        begin = max(start, end - CHUNK)
        file.seek(begin)
        kept = len(file.read(end - begin).rstrip(b"\r\n"))
        if kept:
            return begin + kept
        end = begin
    return start


def _block(data: bytes, at: int) -> tuple[int, int]:
    """The end of a block of whole rows that begins here, and how many it has; none if the data end first."""
    stop = data.rfind(b"\n", at, at + BLOCK) + 1
    if stop <= at:
        stop = data.find(b"\n", at) + 1
    if stop and _is_plain(data, at, stop):
        return stop, data.count(b"\n", at, stop)
    found, goal = 0, at + BLOCK
    # The last byte decides nothing: after it may come the rest of a line end, or another quote.
    while at < goal and (row := _ROW.match(data, at)) and row.end() < len(data):
        at, found = row.end(), found + 1
    return at, found


def _is_plain(data: bytes, at: int, stop: int) -> bool:
    ends = data.count(b"\r", at, stop)
    if ends and ends != data.count(b"\r\n", at, stop):
        return False
    return data.find(b'"', at, stop) < 0 or _PLAIN.match(data, at, stop) is not None
