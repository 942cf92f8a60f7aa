"""Faults of a `project.yaml`, and what collects them."""

from collections.abc import Iterable
from dataclasses import dataclass, field

_SHOWN_LENGTH = 80
_MOST_FAULTS = 200


@dataclass(frozen=True)
class Fault:
    """One broken rule, or one doubtful thing.

    `rule` is the number of the rule in the specification (`"13c"`, `"17.1"`), or a word for what has no
    number: `yaml`, `cycle`, `name`, `overlap`, `old-version`, `needs-repeated`, `image`, `more`.
    `message` is for people and may quote the file: escape it. `line` counts from 1.
    """

    rule: str
    message: str
    line: int | None = None
    action: str | None = None

    def __str__(self) -> str:
        return self.message if self.line is None else f"Line {self.line}: {self.message}"


class PipelineInvalid(ValueError):
    """The file breaks at least one rule; `faults` holds all that were found, in the order of their lines."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = list(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


@dataclass
class Report:
    """Collects the faults and warnings while a file is checked."""

    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)

    def error(self, rule: str, message: str, line: int | None = None, action: str | None = None) -> None:
        """Note a broken rule: the file is refused."""
        self.faults.append(Fault(rule, message, line, action))

    def warn(self, rule: str, message: str, line: int | None = None, action: str | None = None) -> None:
        """Note something doubtful that the controller accepts."""
        self.warnings.append(Fault(rule, message, line, action))


def in_order(faults: Iterable[Fault]) -> list[Fault]:
    """The faults by line, those without one first; a flood of them is cut, saying how many were left out."""
    found = sorted(faults, key=lambda fault: fault.line or 0)
    if len(found) <= _MOST_FAULTS:
        return found
    more = Fault("more", f"{len(found) - _MOST_FAULTS:,} more like these are not shown.")
    return [*found[:_MOST_FAULTS], more]


def shown(text: str) -> str:
    """Text of the file as a message may quote it: short, on one line, printable."""
    clipped = text if len(text) <= _SHOWN_LENGTH else text[: _SHOWN_LENGTH - 1] + "…"
    return "".join(char if char.isprintable() else " " for char in clipped)
