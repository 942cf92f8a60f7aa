"""Two sequences side by side: which items belong together, and those of them that are worth showing.

Whatever the sequences are, it takes bounded time and memory: the library's way to align takes time that
grows with the square of the items and worse, so it is stopped after some steps, and position decides.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from itertools import accumulate, chain, islice, zip_longest
from typing import Any, NamedTuple

# How many items of each side are aligned; longer ones are compared position by position.
ALIGNED = 20_000
# How many positions are looked at then, and how many that differ.
EXAMINED, DIFFERING = 2_000_000, 100_000
# Steps of the library's algorithm, of which a million take about a tenth of a second.
STEPS = 5_000_000
# How many items that are the same are shown before and after one that is not.
CONTEXT = 2

# Tells where equal runs, replacements and so on are: as SequenceMatcher.get_opcodes does.
Opcodes = Sequence[tuple[str, int, int, int, int]]


class TooMuch(Exception):
    """To align this would take too long."""


class Pair(NamedTuple):
    """An item of each side, or of one only; numbers count from 1."""

    before_number: int | None
    before: Any
    after_number: int | None
    after: Any
    kind: str  # "same", "changed", "added" or "removed"


class Gap(NamedTuple):
    """Where items that are the same on both sides are not shown."""

    hidden: int
    kind: str = "gap"


@dataclass
class Shown:
    """One page of what differs, with what is around it; ``total`` is how many lines all pages have."""

    items: list[Pair | Gap] = field(default_factory=list)
    total: int = 0
    same: int = 0
    changed: int = 0
    added: int = 0
    removed: int = 0
    by_position: bool = False
    is_cut: bool = False

    @property
    def differing(self) -> int:
        """How many items are not the same."""
        return self.changed + self.added + self.removed

    @property
    def before(self) -> int:
        """How many items the first side has, as far as it was looked at."""
        return self.same + self.changed + self.removed

    @property
    def after(self) -> int:
        """How many items the other side has, as far as it was looked at."""
        return self.same + self.changed + self.added


class _Bounded(SequenceMatcher[Any]):
    """The library's own, which gives up after :data:`STEPS`."""

    def __init__(self, before: Sequence[Any], after: Sequence[Any]) -> None:
        super().__init__(None, before, after, autojunk=False)
        # For every item it goes through the places of its equals on the other side.
        places = self.b2j  # type: ignore[attr-defined]
        self._steps = list(accumulate((len(places.get(each, ())) + 1 for each in before), initial=0))
        self._end = len(before)
        self._left = STEPS

    def find_longest_match(
        self, alo: int = 0, ahi: int | None = None, blo: int = 0, bhi: int | None = None
    ) -> Any:
        self._left -= self._steps[self._end if ahi is None else ahi] - self._steps[alo]
        if self._left < 0:
            raise TooMuch
        return super().find_longest_match(alo, ahi, blo, bhi)


def opcodes(before: Sequence[Any], after: Sequence[Any]) -> Opcodes:
    """How the second sequence is made from the first. Raises :class:`TooMuch`."""
    return _Bounded(before, after).get_opcodes()


class Page:
    """Collects the lines from ``offset`` on, ``limit`` of them at most, and counts all.

    Of runs that are the same no more than :data:`CONTEXT` lines are shown beside others, unless
    ``everything`` is.
    """

    def __init__(self, *, offset: int = 0, limit: int = 500, everything: bool = False) -> None:
        self.shown = Shown()
        self._from, self._to, self._everything = offset, offset + limit, everything
        self._waiting: deque[Pair] = deque()
        self._left_out = self._after = 0

    def skip(self, count: int) -> None:
        """Know of items that are the same and so far from others that none of them is shown."""
        self.shown.same += count
        if count:
            self._left_out += count + len(self._waiting)
            self._waiting.clear()

    def same(self, items: Iterable[Any]) -> None:
        """Take items that both sides have next."""
        for each in items:
            self.add(Pair(self.shown.before + 1, each, self.shown.after + 1, each, "same"))

    def add(self, pair: Pair) -> None:
        """Take the next pair."""
        counts = self.shown
        setattr(counts, pair.kind, getattr(counts, pair.kind) + 1)
        if pair.kind != "same":
            self._flush()
            self._keep(pair)
            self._after = CONTEXT
        elif self._everything or self._after:
            self._after -= 1
            self._keep(pair)
        else:
            self._waiting.append(pair)
            if len(self._waiting) > CONTEXT:
                self._waiting.popleft()
                self._left_out += 1

    def end(self) -> Shown:
        """The page, once everything has been taken."""
        self._left_out += len(self._waiting)
        self._waiting.clear()
        self._flush()
        return self.shown

    def _flush(self) -> None:
        if self._left_out and self._from <= self.shown.total < self._to:
            self.shown.items.append(Gap(self._left_out))
        self._left_out = 0
        while self._waiting:
            self._keep(self._waiting.popleft())

    def _keep(self, pair: Pair) -> None:
        if self._from <= self.shown.total < self._to:
            self.shown.items.append(pair)
        self.shown.total += 1


def align(
    page: Page,
    before: Iterable[Any],
    after: Iterable[Any],
    *,
    weigh: Callable[[Any], int] = lambda _item: 1,
    match: Callable[[Sequence[Any], Sequence[Any]], Opcodes] = opcodes,
) -> None:
    """Give the page the pairs of the two sides, which go on where it is.

    ``weigh`` says for how many an item counts against :data:`ALIGNED`.
    """
    left, right, first = iter(before), iter(after), page.shown.before + 1
    some, others = _some(left, weigh), _some(right, weigh)
    rest = [next(left, None), next(right, None)]
    if rest == [None, None]:
        with suppress(TooMuch):
            _by_opcodes(page, some, others, match(some, others), first)
            return
    _by_position(page, _again(some, rest[0], left), _again(others, rest[1], right), first)


def _some(items: Iterator[Any], weigh: Callable[[Any], int]) -> list[Any]:
    found, room = [], ALIGNED
    for each in items:
        found.append(each)
        room -= weigh(each)
        if room <= 0:
            break
    return found


def _again(some: list[Any], one: Any, rest: Iterator[Any]) -> Iterator[Any]:
    return chain(some, [] if one is None else [one], rest)


def _by_opcodes(page: Page, before: Sequence[Any], after: Sequence[Any], codes: Opcodes, first: int) -> None:
    for tag, i1, i2, j1, j2 in codes:
        # As many on both sides: each has become the other.
        if tag == "equal" or (tag in {"replace", "changed"} and i2 - i1 == j2 - j1):
            kind = "same" if tag == "equal" else "changed"
            for i, j in zip(range(i1, i2), range(j1, j2), strict=True):
                page.add(Pair(i + first, before[i], j + first, after[j], kind))
        else:
            for i in range(i1, i2):
                page.add(Pair(i + first, before[i], None, None, "removed"))
            for j in range(j1, j2):
                page.add(Pair(None, None, j + first, after[j], "added"))


def _by_position(page: Page, before: Iterator[Any], after: Iterator[Any], first: int) -> None:
    page.shown.by_position = True
    both = zip_longest(before, after)
    # Items that are the same are many: only the last of them may be needed.
    recent: deque[tuple[int, Any]] = deque(maxlen=CONTEXT)
    since, differing = 0, 0
    for number, (left, right) in enumerate(islice(both, EXAMINED), first):
        if left == right:
            since += 1
            if since <= CONTEXT:
                page.add(Pair(number, left, number, right, "same"))
            else:
                recent.append((number, left))
            continue
        page.skip(max(0, since - CONTEXT) - len(recent))
        for at, each in recent:
            page.add(Pair(at, each, at, each, "same"))
        recent.clear()
        since, differing = 0, differing + 1
        if right is None:
            page.add(Pair(number, left, None, None, "removed"))
        elif left is None:
            page.add(Pair(None, None, number, right, "added"))
        else:
            page.add(Pair(number, left, number, right, "changed"))
        if differing == DIFFERING:
            break
    page.skip(max(0, since - CONTEXT))
    page.shown.is_cut = next(both, None) is not None
