"""Which columns of two tables belong together."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """A column of one side or both; ``before`` and ``after`` are its places. ``old_name``: if it changed."""

    name: str
    before: int | None
    after: int | None
    old_name: str | None = None

    @property
    def kind(self) -> str:
        """Whether it is in both, or was added or removed."""
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "renamed" if self.old_name is not None else "same"


def columns_of(before: Sequence[str], after: Sequence[str]) -> list[Column]:
    """The columns of both, in the order of the second; those that were removed behind their neighbours."""
    unique = len(set(before)) == len(before) and len(set(after)) == len(after)
    if not unique or not set(before) & set(after):
        return by_place(before, after)
    if len(before) == len(after):
        # One name for another, and nothing else moved: the column has a new name.
        renamed = {
            new: old for old, new in zip(before, after, strict=True) if old not in after and new not in before
        }
    else:
        renamed = {}
    places = {name: place for place, name in enumerate(before)}
    gone = set(before) - set(after) - set(renamed.values())
    found: list[Column] = []
    taken = 0
    for place, name in enumerate(after):
        old = renamed.get(name, name)
        where = places.get(old)
        if where is not None:
            found += [Column(before[i], i, None) for i in range(taken, where) if before[i] in gone]
            taken = max(taken, where + 1)
        found.append(Column(name, where, place, old if old != name else None))
    return [*found, *[Column(before[i], i, None) for i in range(taken, len(before)) if before[i] in gone]]


def by_place(before: Sequence[str], after: Sequence[str]) -> list[Column]:
    """The first column of one is the first of the other, and so on, whatever they are called."""
    found = []
    for place in range(max(len(before), len(after))):
        old = before[place] if place < len(before) else None
        new = after[place] if place < len(after) else None
        name = (new if new is not None else old) or ""
        other = old if old is not None and new is not None and old != new else None
        found.append(Column(name, None if old is None else place, None if new is None else place, other))
    return found
