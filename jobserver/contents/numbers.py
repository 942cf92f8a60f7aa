"""What counts as a number in a cell, and what stands for one that is missing."""

import re
from math import isfinite

REDACTED = "[REDACTED]"
_NUMBER = re.compile(r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?(?:[eE][-+]?\d{1,3})?%?", re.ASCII)
_MISSING = frozenset({"", "-", ".", "na", "nan", "null", "none", REDACTED.lower()})


def number_of(cell: str) -> float | None:
    """The number in a cell, thousands separated by commas or not; None if it holds none."""
    try:
        value = float(cell)
    except ValueError:
        text = cell.strip()
        if not _NUMBER.fullmatch(text):
            return None
        value = float(text.rstrip("%").replace(",", ""))
    # Python knows more ways to write a number than people do.
    return value if isfinite(value) and cell.isascii() and "_" not in cell else None


def is_missing(cell: str) -> bool:
    """Whether the cell holds nothing, or what statistical programs write in its place."""
    return cell.strip().lower() in _MISSING


def sort_key(cell: str) -> float | str | None:
    """By what a cell is sorted: numbers by value, words without their capitals; None if there is nothing."""
    number = number_of(cell)
    if number is not None:
        return number
    return None if is_missing(cell) else cell.strip().casefold()
