"""The audit trail as lists: all of it, a person's, a project's (spec: staff 8.8, 13.5, 17.28)."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from jobserver.models import AuditableEvent, AuditSource, Project, User
from jobserver.queries.staff.audit import told
from jobserver.queries.staff.listing import Filter, Option, Sort, StaffList
from jobserver.queries.words import has_all_words, words_in
from jobserver.templating.times import day_of, end_of_day, fault_of_day, start_of_day
from jobserver.templating.trail import BY, Event
from jobserver.templating.trail_kinds import KINDS

E = AuditableEvent
_OBJECT = re.compile(r"([A-Za-z]{1,40}):([A-Za-z0-9]{1,40})")


@dataclass(frozen=True)
class EventList(StaffList[Event]):
    """A list of events, which are told a page at a time."""

    def rows(self, db: Session, ids: Sequence[int]) -> list[Event]:
        """The events of these ids, in their order."""
        found = {row.id: row for row in db.scalars(select(E).where(E.id.in_(ids)))} if ids else {}
        return told(db, [found[id_] for id_ in ids if id_ in found])


def _among(*each: ColumnElement[bool]) -> ColumnElement[bool]:
    """Events for which one of these holds, found by the index of each.

    Left to itself PostgreSQL takes them for many, and walks through all events from the newest on.
    """
    first, *others = [select(E.id).where(one) for one in each]
    found = first.union_all(*others).cte("found").prefix_with("MATERIALIZED")
    return E.id.in_(select(found.c.id))


def _by_words(q: str) -> ColumnElement[bool]:
    """All words in one of the names: one condition each, so that the index itself intersects."""
    words = words_in(q)
    return or_(has_all_words(words, "target_label"), has_all_words(words, "parent_label"))


def _by_person(values: Sequence[str]) -> ColumnElement[bool]:
    """Who acted or was concerned; usernames are compared as they are stored, for the sake of the indexes."""
    stored = [
        select(User.username).where(func.lower(User.username) == value.lower()).scalar_subquery()
        for value in values
    ]
    columns = (E.created_by, E.target_user)
    return _among(*[column == name for column in columns for name in (*values, *stored)])


def _by_object(values: Sequence[str]) -> ColumnElement[bool]:
    found = []
    for value in values:
        model, _, key = value.partition(":")
        found.append(and_(E.target_model == f"jobserver.{model}", E.target_id == key))
        found.append(and_(E.parent_model == f"jobserver.{model}", E.parent_id == key))
    return _among(*found)


def _fault_of_object(value: str) -> str:
    return "" if _OBJECT.fullmatch(value) else "Enter a kind and a number, such as Project:12."


def _days(values: Sequence[str]) -> list[date]:
    return [day for day in map(day_of, values) if day]


def _types(_db: Session) -> list[Option]:
    found, group = [], ""
    for type_, kind in KINDS.items():
        if kind.group != group:
            group = kind.group
            found.append(Option("", group))
        found.append(Option(type_, kind.label))
    return found


_TYPES = Filter("types", "What", lambda values: E.type.in_(values), _types)
_SOURCES = Filter(
    "source",
    "Made",
    lambda values: E.source.in_(values),
    lambda _: [Option(source, BY[source].capitalize()) for source in AuditSource],
)
_SINCE = Filter(
    "from",
    "From",
    lambda values: E.created_at >= start_of_day(max(_days(values))),
    fault=fault_of_day,
    type="date",
)
_UNTIL = Filter(
    "to",
    "To",
    lambda values: E.created_at < end_of_day(min(_days(values))),
    fault=fault_of_day,
    type="date",
)


def _cells(row: Event) -> Sequence[object]:
    changes = {line.field: [list(line.removed), list(line.added)] for line in row.lines}
    return (
        row.at,
        row.type,
        row.sentence.striptags(),
        row.actor.label,
        row.user.label,
        json.dumps(changes, ensure_ascii=False) if changes else "",
        row.reason,
        row.source,
    )


AUDIT = EventList(
    noun=("event",),
    id_column=E.id,
    columns=select(E.id),
    make=Event,
    sorts=(Sort("newest", "Newest first", (E.created_at,), descending=True),),
    header=("time", "type", "what", "by", "person", "changes", "reason", "source"),
    cells=_cells,
    search=_by_words,
    most_counted=1_000,
    search_label="Name of a project, workspace, organisation …",
    filters=(
        _TYPES,
        _SOURCES,
        Filter("person", "Person", _by_person, hint="Who did it, or to whom: a username"),
        Filter("object", "Object", _by_object, hint="Such as Project:12", fault=_fault_of_object),
        _SINCE,
        _UNTIL,
    ),
)


def of_user(user: User) -> EventList:
    """What the person did, and what was done to their account and memberships."""
    theirs = _among(E.created_by == user.username, E.target_user == user.username)
    return replace(AUDIT, filters=(_TYPES, _SOURCES, _SINCE, _UNTIL), conditions=(theirs,))


def of_project(project: Project) -> EventList:
    """What was done to the project, its members and its workspaces."""
    here = and_(E.parent_model == "jobserver.Project", E.parent_id == str(project.id))
    itself = and_(E.target_model == "jobserver.Project", E.target_id == str(project.id))
    return replace(AUDIT, filters=(_TYPES, _SOURCES, _SINCE, _UNTIL), conditions=(_among(here, itself),))
