"""Parts of files, which are read as they are needed, and what two files share at their ends."""

import io
from collections.abc import Callable
from typing import Any, BinaryIO

CHUNK = 256 * 1024
# How far a line begins or ends from where two files begin to differ; further away nothing is cut off.
WINDOW = 1024 * 1024


class Stretch(io.RawIOBase):
    """The bytes of a file from ``start`` to ``end`` as a file of its own. Closing it leaves the file open."""

    def __init__(self, file: BinaryIO, start: int = 0, end: int | None = None) -> None:
        self._file, self._start, self._at = file, start, 0
        self.size = (file.seek(0, io.SEEK_END) if end is None else end) - start

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place, counted from the beginning or the end."""
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        return self._at

    def readinto(self, buffer: Any) -> int:
        """As much as there is and fits."""
        data = self.piece(self._at, self._at + len(buffer))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def piece(self, start: int, end: int) -> bytes:
        """The bytes from here to there."""
        self._file.seek(self._start + start)
        return self._file.read(max(0, min(end, self.size) - start))

    def part(self, start: int, end: int) -> "Stretch":
        """A stretch of this one."""
        return Stretch(self._file, self._start + start, self._start + end)

    def buffered(self) -> io.BufferedReader:
        """The same for reading by lines, from the beginning."""
        return io.BufferedReader(self.part(0, self.size), CHUNK)

    def count(self, what: bytes) -> int:
        """How many times a byte is there."""
        return sum(self.piece(at, at + CHUNK).count(what) for at in range(0, self.size, CHUNK))

    def lines(self) -> int:
        """How many lines there are."""
        end = self.piece(max(0, self.size - 1), self.size)
        return self.count(b"\n") + (end not in {b"", b"\n"})

    def without_empty_end(self) -> "Stretch":
        """The same without line ends at its end."""
        end = self.size
        while end and not (kept := self.piece(max(0, end - CHUNK), end).rstrip(b"\r\n")):
            end = max(0, end - CHUNK)
        return self.part(0, max(0, end - CHUNK) + len(kept) if end else 0)


def ends_alike(before: Stretch, after: Stretch, spare: int) -> tuple[int, int]:
    """How many bytes at the beginning of two texts are the same, and how many at the end: whole lines.

    ``spare`` lines beside the others are left over, to be shown around them.
    """
    least = min(before.size, after.size)
    head = common(least, lambda at, step: before.piece(at, at + step) == after.piece(at, at + step))
    head = _lines_back(before, head, spare + 1)

    def from_end(text: Stretch, at: int, step: int) -> bytes:
        return text.piece(text.size - at - step, text.size - at)

    tail = common(least - head, lambda at, step: from_end(before, at, step) == from_end(after, at, step))
    return head, before.size - _lines_on(before, before.size - tail, spare + 1)


def common(most: int, alike: Callable[[int, int], bool]) -> int:
    """How far two things are alike, ``most`` at most: ``alike`` says whether the next so many are."""
    at = 0
    for step in (65_536, 4_096, 256, 16, 1):
        while at + step <= most and alike(at, step):
            at += step
    return at


def _lines_back(text: Stretch, at: int, lines: int) -> int:
    window = text.piece(max(0, at - WINDOW), at)
    place = len(window)
    for _ in range(lines):
        place = window.rfind(b"\n", 0, max(0, place - 1)) + 1
    return at - len(window) + place if place else 0


def _lines_on(text: Stretch, at: int, lines: int) -> int:
    window, place = text.piece(at, at + WINDOW), 0
    for _ in range(lines):
        place = window.find(b"\n", place) + 1
        if not place:
            return text.size
    return at + place


def outside_quotes(text: Stretch, head: int, tail: int) -> tuple[int, int]:
    """The same lengths or shorter ones, so that within both every quote has its other one; whole lines."""
    quotes = text.part(0, head).count(b'"')
    first, *lines = text.piece(max(0, head - WINDOW), head).splitlines(keepends=True) or [b""]
    for line in reversed(lines if head > WINDOW else [first, *lines]):
        if quotes % 2 == 0:
            break
        quotes, head = quotes - line.count(b'"'), head - len(line)
    start = text.size - tail
    others = text.part(start, text.size).count(b'"')
    for line in text.piece(start, start + WINDOW).splitlines(keepends=True):
        if others % 2 == 0:
            break
        others, start = others - line.count(b'"'), start + len(line)
    return (0 if quotes % 2 else head), (0 if others % 2 else text.size - start)
