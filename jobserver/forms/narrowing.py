"""What narrows a list, as its address says (spec: pages 30.6 no. 63).

All of it is in the address, and no filter drops another. A value that cannot be meant is kept and said beside
its field, and nothing is shown until it is mended: a filter that is ignored would look like an answer.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from urllib.parse import urlencode

from jobserver.templating.times import day_in_words, day_of, fault_of_day

LONGEST, MOST, LONGEST_SHOWN = 200, 20, 40


def _fine(_value: str) -> str:
    return ""


@dataclass(frozen=True)
class Field:
    """One way to narrow a list.

    ``offered``: the values to choose among, any number of them, in words; without it one value is typed.
    ``fault`` says what is wrong with a value, empty if nothing is. ``counts``: how many rows have each value.
    """

    name: str
    label: str
    offered: Mapping[str, str] | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    fault: Callable[[str], str] = _fine

    @property
    def menu(self) -> list[tuple[str, str]]:
        """The values as a menu takes them."""
        return [
            (value, f"{words} ({self.counts[value]:,})" if value in self.counts else words)
            for value, words in (self.offered or {}).items()
        ]

    def fault_of(self, values: Sequence[str]) -> str:
        """What is wrong with the values given; empty if nothing is."""
        if max(map(len, values)) > LONGEST:
            return f"Shorten this to {LONGEST} characters or fewer."
        if self.offered is not None and not set(values) <= set(self.offered):
            return "Choose among those listed here."
        return next(filter(None, map(self.fault, values)), "")


@dataclass(frozen=True)
class Narrowing:
    """What was asked for: ``values`` by field, as they came; ``faults`` by field, each naming its cure."""

    fields: Mapping[str, Field]
    values: Mapping[str, Sequence[str]]
    faults: Mapping[str, str]

    @property
    def is_narrowed(self) -> bool:
        """Whether anything is filtered by."""
        return bool(self.values)

    @property
    def kept(self) -> list[tuple[str, str]]:
        """The parameters that mean something, for the addresses of other pages."""
        return [(name, value) for name, values in self.values.items() for value in values]

    def chosen(self, name: str) -> Sequence[str]:
        """The values of a field."""
        return self.values.get(name, ())

    def value(self, name: str) -> str:
        """What a field that is typed shows."""
        return next(iter(self.chosen(name)), "")

    def day(self, name: str) -> date | None:
        """The day that a field names; None if it names none."""
        return day_of(self.value(name))

    def count(self, *names: str) -> int:
        """How many of these fields are in use."""
        return sum(name in self.values for name in names)

    def chips(self) -> list[tuple[str, str]]:
        """Each filter in words, with the address without it."""
        return [
            (
                f"{self.fields[name].label}: {self._shown(name, value)}",
                f"?{urlencode([pair for pair in self.kept if pair != (name, value)])}",
            )
            for name, value in self.kept
        ]

    def _shown(self, name: str, value: str) -> str:
        day = day_of(value) if self.fields[name].fault is fault_of_day else None
        shown = day_in_words(day) if day else (self.fields[name].offered or {}).get(value, value)
        return shown if len(shown) <= LONGEST_SHOWN else f"{shown[:LONGEST_SHOWN]}…"


def read(pairs: Iterable[tuple[str, str]], fields: Sequence[Field]) -> Narrowing:
    """What an address's parameters ask for; those that are no field's are left out."""
    by_name = {each.name: each for each in fields}
    values: dict[str, list[str]] = {}
    for name, given in pairs:
        value = given.replace("\0", "").strip()
        if not value or name not in by_name:
            continue
        there = values.setdefault(name, [])
        if value not in there and len(there) < (1 if by_name[name].offered is None else MOST):
            there.append(value)
    ordered = {name: values[name] for name in by_name if name in values}
    faults = {name: fault for name, each in ordered.items() if (fault := by_name[name].fault_of(each))}
    since, until = (day_of(ordered[name][0]) if name in ordered else None for name in ("from", "to"))
    if since and until and since > until:
        faults["to"] = f"Choose a day that is not before {day_in_words(since)}, where the list would begin."
    return Narrowing(by_name, ordered, faults)


def days() -> tuple[Field, Field]:
    """The fields ``from`` and ``to``: the first day and the last, London time."""
    return Field("from", "From", fault=fault_of_day), Field("to", "To", fault=fault_of_day)


def withheld(name: str, label: str, why: str) -> Field:
    """A field that this reader may not filter by; ``why`` tells them so if the address has it."""
    return Field(name, label, fault=lambda _value: why)
