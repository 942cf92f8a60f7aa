"""The form above a log: what its address says the log is narrowed by (spec: pages 9, 30.6 no. 63)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from jobserver.forms import narrowing
from jobserver.forms.narrowing import Field, Narrowing
from jobserver.queries.log_filters import (
    SHORTEST_IDENTIFIER,
    SHORTEST_PART,
    STATUSES,
    Filters,
    Meant,
    is_identifier_prefix,
)
from jobserver.templating.states import STATES

# What is wrong with a name that nothing has.
UNKNOWN = {
    "user": "Nobody here has this username. Enter the whole username, as on GitHub.",
    "project": "No project has this address. Enter it as it is in the address of its page.",
    "workspace": "No workspace has this name. Enter the whole name.",
}


@dataclass(frozen=True)
class LogForm(Narrowing):
    """What was asked for, as ``filters``, and what the names in it are ``meant`` to be."""

    filters: Filters = field(default_factory=Filters)
    meant: Meant = field(default_factory=Meant)

    def understood(self, meant: Meant) -> "LogForm":
        """The same, knowing what its names stand for: names that nothing has are faults."""
        missing = {
            name: sentence
            for name, sentence in UNKNOWN.items()
            if getattr(self.filters, name) and getattr(meant, name) is None
        }
        return replace(self, meant=meant, faults={**missing, **self.faults})

    def _shown(self, name: str, value: str) -> str:
        known = {"user": self.meant.user, "project": self.meant.project}.get(name)
        return super()._shown(name, known or value)


def read(
    pairs: Iterable[tuple[str, str]], backends: Mapping[str, str], left_out: Sequence[str] = ()
) -> LogForm:
    """The form that the address's parameters fill. ``backends``: those that can be chosen, names by slug.

    Fields that are ``left_out`` say nothing in this log.
    """
    fields = [
        Field("q", "Search", fault=_fault_of_search),
        Field("status", "State", {status: STATES[status].word for status in STATUSES}),
        Field("backend", "Backend", backends),
        Field("user", "Asked by"),
        Field("action", "Action", fault=_fault_of_action),
        Field("project", "Project"),
        Field("workspace", "Workspace"),
        Field("identifier", "Identifier", fault=_fault_of_identifier),
        *narrowing.days(),
    ]
    form = narrowing.read(pairs, [each for each in fields if each.name not in left_out])
    return LogForm(form.fields, form.values, form.faults, _filters(form))


def _filters(form: Narrowing) -> Filters:
    """What the fields say that can be meant."""

    def one(name: str) -> str:
        return "" if name in form.faults else form.value(name)

    return Filters(
        q=one("q"),
        action=one("action"),
        statuses=form.chosen("status"),
        backends=form.chosen("backend"),
        user=one("user"),
        project=one("project"),
        workspace=one("workspace"),
        identifier=one("identifier"),
        since=form.day("from"),
        until=form.day("to"),
    )


def _fault_of_action(value: str) -> str:
    # Shorter parts are in almost every name.
    return "" if len(value) >= SHORTEST_PART else f"Enter at least {SHORTEST_PART} characters."


def _fault_of_search(value: str) -> str:
    fine = value.isdecimal() or len(value) >= SHORTEST_PART
    return "" if fine else f"Enter at least {SHORTEST_PART} characters, or a number."


def _fault_of_identifier(value: str) -> str:
    cure = f"Enter at least the first {SHORTEST_IDENTIFIER} characters: letters and digits only."
    return "" if is_identifier_prefix(value) else cure
