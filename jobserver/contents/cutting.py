"""Texts that differ, cut to what can be read, around the place where they do."""

from typing import NamedTuple

from jobserver.contents.stretch import common
from jobserver.contents.text import visible

# Characters of a cell, and of each part of a line, that are shown.
CELL, PART, AROUND = 120, 200, 60
_IN_WORDS = frozenset("._-")


class Marked(NamedTuple):
    """A line in three parts: what is before that which differs, which may be nothing, and what is after."""

    lead: str
    differs: str
    trail: str


def cut(before: str | None, after: str | None) -> tuple[str | None, str | None]:
    """Both, from shortly before they differ, if either is too long to be shown."""
    if max(len(before or ""), len(after or "")) <= CELL:
        return before and visible(before), after and visible(after)
    start = 0
    if before is not None and after is not None and before != after:
        start = max(0, _prefix(before, after) - AROUND)
    return _from(before, start), _from(after, start)


def _from(text: str | None, start: int) -> str | None:
    if text is None:
        return None
    end = "…" if len(text) > start + CELL else ""
    return ("…" if start else "") + visible(text[start : start + CELL]) + end


def marked(before: str, after: str) -> tuple[Marked, Marked]:
    """A line and what it has become, with whole words marked."""
    start = _prefix(before, after)
    while start and _is_in_word(before[start - 1]):
        start -= 1
    most = min(len(before), len(after)) - start
    end = common(
        most,
        lambda at, step: (
            before[len(before) - at - step : len(before) - at]
            == after[len(after) - at - step : len(after) - at]
        ),
    )
    while end and _is_in_word(before[-end]):
        end -= 1
    return _parts(before, start, end), _parts(after, start, end)


def _parts(text: str, start: int, end: int) -> Marked:
    stop = len(text) - end
    lead, differs, trail = text[:start], text[start:stop], text[stop:]
    return Marked(
        visible(lead) if len(lead) <= PART else "…" + visible(lead[-AROUND:]),
        shortened(differs),
        shortened(trail),
    )


def shortened(text: str) -> str:
    """As much of it as is shown."""
    return visible(text) if len(text) <= PART else visible(text[:PART]) + "…"


def _prefix(before: str, after: str) -> int:
    most = min(len(before), len(after))
    return common(most, lambda at, step: before[at : at + step] == after[at : at + step])


def _is_in_word(character: str) -> bool:
    return character.isalnum() or character in _IN_WORDS
