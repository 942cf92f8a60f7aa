"""The form above a log: what its address says the log is narrowed by (spec: pages 9, 30.6 no. 63).

All of it is in the address. What cannot be meant is kept and said beside its field, and nothing is shown
until it is mended: a filter that is silently ignored would look like an answer.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from urllib.parse import urlencode

from jobserver.forms.narrowing import day_in_words, day_of, fault_of_day
from jobserver.queries.log_filters import (
    SHORTEST_IDENTIFIER,
    SHORTEST_PART,
    STATUSES,
    Filters,
    Meant,
    is_identifier_prefix,
)
from jobserver.templating.states import STATES

LABELS = {
    "q": "Search",
    "status": "State",
    "backend": "Backend",
    "user": "Asked by",
    "action": "Action",
    "project": "Project",
    "workspace": "Workspace",
    "identifier": "Identifier",
    "from": "From",
    "to": "To",
}
REPEATED = frozenset({"status", "backend"})
# What is about one answer and not about the log.
PASSING = frozenset({"page", "format", "live"})
LONGEST, MOST = 200, 20


@dataclass(frozen=True)
class LogForm:
    """What was asked for: ``values`` by field, as they came; ``faults`` by field, each naming its cure."""

    values: Mapping[str, Sequence[str]] = field(default_factory=dict)
    kept: Sequence[tuple[str, str]] = ()
    faults: Mapping[str, str] = field(default_factory=dict)
    filters: Filters = field(default_factory=Filters)
    meant: Meant = field(default_factory=Meant)

    @property
    def is_narrowed(self) -> bool:
        """Whether anything is filtered by."""
        return bool(self.values)

    def value(self, name: str) -> str:
        """What a field that comes once shows."""
        return next(iter(self.values.get(name, ())), "")

    def count(self, names: Iterable[str]) -> int:
        """How many of these fields are in use."""
        return sum(name in self.values for name in names)

    def understood(self, meant: Meant) -> "LogForm":
        """The same, knowing what its names stand for: names that nothing has are faults."""
        unknown = {
            "user": "Nobody here has this username. Enter the whole username, as on GitHub.",
            "project": "No project has this address. Enter it as it is in the address of its page.",
            "workspace": "No workspace has this name. Enter the whole name.",
        }
        missing = {
            name: sentence
            for name, sentence in unknown.items()
            if getattr(self.filters, name) and getattr(meant, name) is None
        }
        return replace(self, meant=meant, faults={**missing, **self.faults})

    def chips(self, backends: Mapping[str, str]) -> list[tuple[str, str]]:
        """Each filter in words, with the address that leaves it out. ``backends``: names by slug."""
        found = []
        for name, values in self.values.items():
            for value in values:
                rest = [pair for pair in self.kept if pair != (name, value)]
                shown = self._shown(name, value, backends)
                found.append((f"{LABELS[name]}: {shown}", f"?{urlencode(rest)}"))
        return found

    def _shown(self, name: str, value: str, backends: Mapping[str, str]) -> str:
        known: dict[str, str | None] = {
            "user": self.meant.user,
            "project": self.meant.project,
            "backend": backends.get(value),
            "status": STATES[value].word if value in STATUSES else None,
        }
        moment = {"from": self.filters.since, "to": self.filters.until}.get(name)
        shown = day_in_words(moment) if moment else known.get(name) or value
        return shown if len(shown) <= 40 else f"{shown[:40]}…"


def read(pairs: Iterable[tuple[str, str]], backends: Sequence[str], left_out: Sequence[str] = ()) -> LogForm:
    """The form that the address's parameters fill. ``backends`` are the slugs that can be chosen.

    Fields that are ``left_out`` say nothing in this log. Other parameters are kept.
    """
    values: dict[str, list[str]] = {}
    kept: list[tuple[str, str]] = []
    for name, given in pairs:
        value = given.replace("\0", "").strip()
        if name in PASSING or name in left_out or not value or (name, value) in kept:
            continue
        if name in LABELS:
            if len(values.get(name, ())) >= (MOST if name in REPEATED else 1):
                continue
            values.setdefault(name, []).append(value)
        kept.append((name, value))
    ordered = {name: values[name] for name in LABELS if name in values}
    faults = {
        name: "Shorten this to 200 characters or fewer."
        for name, each in ordered.items()
        if max(map(len, each)) > LONGEST
    }
    filters = _filters(ordered, backends, faults)
    return LogForm(values=ordered, kept=kept, faults=faults, filters=filters)


def _filters(values: Mapping[str, list[str]], backends: Sequence[str], faults: dict[str, str]) -> Filters:
    """What the fields say; what they cannot say is added to the faults."""

    def one(name: str) -> str:
        return values[name][0] if name in values and name not in faults else ""

    def any_of(name: str, known: Sequence[str], cure: str) -> list[str]:
        chosen = values.get(name, [])
        if name not in faults and not set(chosen) <= set(known):
            faults[name] = cure
        return [value for value in chosen if value in known]

    for name in ("q", "action"):
        given = one(name)
        # Shorter parts are in almost every name.
        if 0 < len(given) < SHORTEST_PART and not (name == "q" and given.isdecimal()):
            faults[name] = f"Enter at least {SHORTEST_PART} characters{', or a number' * (name == 'q')}."
    identifier = one("identifier")
    if identifier and not is_identifier_prefix(identifier):
        faults["identifier"] = (
            f"Enter at least the first {SHORTEST_IDENTIFIER} characters: letters and digits only."
        )
        identifier = ""
    since, until = _day("from", one("from"), faults), _day("to", one("to"), faults)
    if since and until and since > until:
        faults["to"] = f"Choose a day that is not before {day_in_words(since)}, where the log would begin."
    return Filters(
        q=one("q"),
        action=one("action"),
        statuses=any_of("status", STATUSES, "Choose among the states listed here."),
        backends=any_of("backend", backends, "Choose among the backends listed here."),
        user=one("user"),
        project=one("project"),
        workspace=one("workspace"),
        identifier=identifier,
        since=since,
        until=until,
    )


def _day(name: str, value: str, faults: dict[str, str]) -> date | None:
    if value and (fault := fault_of_day(value)):
        faults[name] = fault
    return day_of(value)
