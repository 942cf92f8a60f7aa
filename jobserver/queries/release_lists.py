"""What lists of releases can be narrowed by, as SQL (spec: pages 16, 30.4 no. 49)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Integer,
    String,
    and_,
    cast,
    exists,
    false,
    func,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session

from jobserver.models import Backend, Release, ReleaseFile, User, Workspace
from jobserver.queries.release_pages import PAGE
from jobserver.templating.times import end_of_day, start_of_day

# What became of the files of a release.
STATES = {"arrived": "All uploaded", "waiting": "Not all uploaded yet", "redacted": "With redacted files"}
MOST_OFFERED = 100


@dataclass(frozen=True)
class Offer:
    """Values that rows have, in words and in number."""

    words: Mapping[str, str] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Facets:
    """Where the releases of a place came from, who released them, and how many there are."""

    backends: Offer
    people: Offer
    workspaces: Offer
    total: int


def facets(db: Session, place: ColumnElement[bool]) -> Facets:
    """What the releases of a place have, in one statement; of people and workspaces the most frequent."""
    kinds = (Release.backend_id, Release.created_by_id, Release.workspace_id)
    counted = (
        select(*kinds, func.count().label("number"))
        .where(place)
        .group_by(func.grouping_sets(*[tuple_(kind) for kind in kinds]))
        .subquery("counted")
    )
    statement = (
        select(counted.c.number, Backend.slug, Backend.name, User.username, User.fullname, Workspace.name)
        .select_from(counted)
        .outerjoin(Backend, Backend.id == counted.c.backend_id)
        .outerjoin(User, User.id == counted.c.created_by_id)
        .outerjoin(Workspace, Workspace.id == counted.c.workspace_id)
        .order_by(counted.c.number.desc())
    )
    rows: Sequence[Any] = db.execute(statement).all()
    return Facets(
        backends=offer((slug, name, number) for number, slug, name, *_ in rows if slug),
        people=offer((row[3], row[4], row[0]) for row in rows if row[3]),
        workspaces=offer((row[5], row[5], row[0]) for row in rows if row[5]),
        total=sum(row[0] for row in rows if row[1]),
    )


def offer(rows: Iterable[tuple[str, str, int]]) -> Offer:
    """The first :data:`MOST_OFFERED` of these values with their words and numbers, by their words."""
    kept = sorted(list(rows)[:MOST_OFFERED], key=lambda row: row[1].lower())
    return Offer({value: words for value, words, _ in kept}, {value: number for value, _, number in kept})


@dataclass(frozen=True)
class Wanted:
    """All of these hold for a release that is shown; what is empty does not matter.

    ``backends`` are slugs, ``people`` usernames, ``workspaces`` names, ``states`` of :data:`STATES`: of each,
    any will do. ``since`` and ``until`` are London days, both included. ``q``: a part of the name of a file.
    """

    backends: Sequence[str] = ()
    people: Sequence[str] = ()
    workspaces: Sequence[str] = ()
    states: Sequence[str] = ()
    since: date | None = None
    until: date | None = None
    q: str = ""


def narrowed(place: ColumnElement[bool], wanted: Wanted) -> ColumnElement[bool]:
    """Of releases: those of the place for which all of it holds."""
    found = [place]
    for column, key, values in (
        (Release.backend_id, select(Backend.id).where(Backend.slug.in_(wanted.backends)), wanted.backends),
        (Release.created_by_id, select(User.id).where(User.username.in_(wanted.people)), wanted.people),
        (
            Release.workspace_id,
            select(Workspace.id).where(Workspace.name.in_(wanted.workspaces)),
            wanted.workspaces,
        ),
    ):
        if values:
            found.append(column.in_(key))
    if wanted.states:
        found.append(or_(false(), *[_is(state) for state in wanted.states]))
    if wanted.since:
        found.append(Release.created_at >= start_of_day(wanted.since))
    if wanted.until:
        found.append(Release.created_at < end_of_day(wanted.until))
    if wanted.q:
        # Half of what ILIKE takes, which puts the pattern in lower case again for every name.
        found.append(_has_file(func.strpos(func.lower(ReleaseFile.name), func.lower(wanted.q)) > 0))
    return and_(*found)


def _is(state: str) -> ColumnElement[bool]:
    waits = _has_file(ReleaseFile.uploaded_at.is_(None))
    if state == "redacted":
        return _has_file(ReleaseFile.deleted_at.is_not(None))
    return waits if state == "waiting" else _has_file() & ~waits


def _has_file(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(ReleaseFile.release_id == Release.id, *conditions)


def find(db: Session, chosen: ColumnElement[bool], page: int | None) -> tuple[Sequence[str], int]:
    """The ids on a page, newest first, and how many there are, in one pass; None is the last page.

    A page that does not exist is empty.
    """
    newest = aggregate_order_by(Release.id, Release.created_at.desc(), Release.id.desc())
    total = func.count()
    first: Any = cast((func.greatest(total, 1) - 1) // PAGE * PAGE + 1, Integer)
    if page is not None:
        first = (page - 1) * PAGE + 1
    ids = func.array_agg(newest, type_=ARRAY(String))[first : first + PAGE - 1]
    row = db.execute(select(ids, total).select_from(Release).where(chosen)).one()
    return row[0] or [], row[1]
