"""Text as a page shows it: two thousand of its lines, however many there are and however long they are."""

import re
from array import array
from bisect import bisect_right
from dataclasses import dataclass
from typing import BinaryIO

from jobserver.contents.kept import Kept
from jobserver.contents.text import BOM, Trimmer, decoded, visible

PAGE = 2_000
CHUNK = 64 * 1024
# Characters: of one line, of all on a page, of one when all are used up.
LONGEST_LINE, MOST_TEXT, THEN = 2_000, 1_000_000, 80
# Colours for a terminal, which logs are full of.
_COLOUR = re.compile(r"\x1b\[[0-9;]*[mK]")


@dataclass(frozen=True)
class Lines:
    """The places of some lines: ``starts`` in bytes, ``firsts`` their numbers from 0."""

    starts: "array[int]"
    firsts: "array[int]"
    total: int


@dataclass(frozen=True)
class Text:
    """A page of lines, the first of which has this number, from 1."""

    first: int
    lines: list[str]
    total: int
    is_cut: bool
    is_broken: bool


_kept: Kept[Lines] = Kept(500_000, lambda lines: 10 + len(lines.starts))


def lines_of(file: BinaryIO, key: str) -> Lines:
    """The places of the lines; ``key`` stands for the content of the file."""
    return _kept.get(key, lambda: find_lines(file))


def find_lines(file: BinaryIO) -> Lines:
    """The places of the lines of a file."""
    start = len(BOM) if file.seek(0) == 0 and file.read(len(BOM)) == BOM else 0
    starts, firsts = array("Q", [start]), array("I", [0])
    place, number, last = start, 0, b"\n"
    file.seek(start)
    while chunk := file.read(CHUNK):
        number += chunk.count(b"\n")
        if stop := chunk.rfind(b"\n") + 1:
            starts.append(place + stop)
            firsts.append(number)
        place, last = place + len(chunk), chunk[-1:]
    return Lines(starts, firsts, number + (last != b"\n"))


def text_of(file: BinaryIO, lines: Lines, page: int) -> Text:
    """A page of the lines; pages count from 1."""
    first = (page - 1) * PAGE
    at = bisect_right(lines.firsts, first) - 1
    file.seek(lines.starts[at])
    for _ in range(first - lines.firsts[at]):
        _line(file)
    trimmer = Trimmer(LONGEST_LINE, MOST_TEXT, THEN)
    found, is_broken = [], False
    for _ in range(min(PAGE, lines.total - first)):
        data = _line(file)
        text, broken = decoded(data.rstrip(b"\r\n"))
        # A character that was cut in two is none of the file's faults.
        is_broken = is_broken or (broken and len(data) < _MOST_BYTES)
        found.append(visible(trimmer.cut(_COLOUR.sub("", text))))
    return Text(first + 1, found, lines.total, trimmer.has_cut, is_broken)


# A character has at most four bytes.
_MOST_BYTES = 4 * LONGEST_LINE + 4


def _line(file: BinaryIO) -> bytes:
    """The next line, or its beginning."""
    line = file.readline(_MOST_BYTES)
    if not line.endswith(b"\n"):
        while (rest := file.readline(CHUNK)) and not rest.endswith(b"\n"):
            pass
    return line
