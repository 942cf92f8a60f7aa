"""Projects: how one comes to be, and how its members say where it stands."""

import re
from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from jobserver import queue
from jobserver.actions import changes, naming, redirects
from jobserver.actions.audit import Actor, record
from jobserver.actions.naming import Malformed, Taken
from jobserver.models import (
    AuditType,
    Org,
    Project,
    ProjectCollaboration,
    ProjectStatus,
    User,
    utcnow,
)
from jobserver.security.identity import Identity

# What the list of projects in the staff area has as a page of its own.
IN_STAFF_AREA = frozenset({"create"})
_NUMBER = re.compile(r"[1-9][0-9]{0,8}|POS-20[0-9]{2}-[1-9][0-9]{3}")


def create(
    db: Session,
    *,
    by: User | Identity,
    name: str,
    org: Org,
    other_orgs: Iterable[Org] = (),
    slug: str | None = None,
    number: str | None = None,
    copilot: User | None = None,
    take_over: bool = False,
) -> Project:
    """Make a project below its lead organisation, with further organisations taking part (spec: domain 5.1).

    The co-pilots' channel is told of a project that has one. ``take_over``: old links with its address need
    not lead on to what they led to.

    Raises :class:`~jobserver.actions.naming.Malformed`, :class:`~jobserver.actions.naming.Taken` or
    :class:`~jobserver.actions.redirects.LeadsElsewhere`.
    """
    name = naming.trimmed("name", name)
    slug = naming.slug_for(name, slug)
    number = checked_number(number)
    claim(db, slug)
    check_free(db, name, number)
    if not take_over:
        redirects.check_not_old(db, f"/{slug}/", f"/{org.slug}/{slug}/")
    author = db.get_one(User, Actor.of(by).user_id)
    now = utcnow()
    stamps = {
        "created_at": now,
        "created_by_id": author.id,
        "updated_at": now,
        "updated_by_id": author.id,
    }
    project = Project(
        name=name,
        slug=slug,
        number=number,
        org_id=org.id,
        copilot_id=copilot.id if copilot else None,
        **stamps,
    )
    db.add(project)
    db.flush()
    for org_id in dict.fromkeys([org.id, *(other.id for other in other_orgs)]):
        db.add(ProjectCollaboration(project_id=project.id, org_id=org_id, **stamps))
    record(
        db,
        AuditType.PROJECT_CREATED,
        by=author,
        target=project,
        target_user=author,
        parent=project,
        at=now,
    )
    redirects.make_way(db, project, by=author)
    if copilot:
        queue.defer(db, queue.Task.ANNOUNCE_PROJECT, key=str(project.id), project_id=project.id)
    db.flush()
    return project


def claim(db: Session, slug: str) -> None:
    """Make sure that a project may have this slug; :class:`~jobserver.actions.naming.Taken` if not."""
    naming.claim_at_root(db, slug, also_reserved=naming.RESERVED_IN_ORG | IN_STAFF_AREA)


def check_free(db: Session, name: str, number: str | None, *, but: int = 0) -> None:
    """Raise :class:`~jobserver.actions.naming.Taken` if a project other than ``but`` has the name or number.

    The caller holds the lock of :mod:`jobserver.actions.naming`.
    """
    if db.scalar(select(Project.id).where(func.lower(Project.name) == name.lower(), Project.id != but)):
        raise Taken("name", name, "another project")
    if number and db.scalar(select(Project.id).where(Project.number == number, Project.id != but)):
        raise Taken("number", number, "another project")


def edit_status(
    db: Session,
    project: Project,
    *,
    status: ProjectStatus,
    description: str,
    seen: str,
    by: User | Identity,
) -> bool:
    """Say where the project stands, with a description in Markdown; returns whether that changed anything.

    ``seen`` is the version of both that the person saw. Raises
    :class:`~jobserver.actions.versions.ChangedMeanwhile` if they are others now, with the project as it is.
    """
    wanted = {"status": status.value, "status_description": description}
    return changes.edit(db, project, wanted, AuditType.PROJECT_UPDATED, by=by, seen=seen, parent=project)


def checked_number(number: str | None) -> str | None:
    """The number as it is kept, None if there is none; :class:`Malformed` (spec: staff 8.2)."""
    wanted = (number or "").strip()
    if not wanted:
        return None
    if not _NUMBER.fullmatch(wanted):
        raise Malformed("number", "must be digits without a leading 0, or like POS-2026-3001")
    return wanted
