"""Editing a project by staff: all of its fields at once, and its organisations (spec: staff 8.5, 17.30)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from jobserver.actions import changes, naming, projects, redirects
from jobserver.actions.audit import id_of
from jobserver.actions.versions import check_version, version_of
from jobserver.models import AuditType, Org, Project, ProjectCollaboration, User, utcnow
from jobserver.security.identity import Identity

FIELDS = (
    "name",
    "slug",
    "number",
    "org_id",
    "copilot_id",
    "copilot_support_ends_at",
    "copilot_notes",
    "status",
    "status_description",
    "category",
)


@dataclass(frozen=True)
class Wanted:
    """A project as somebody wants it. ``org`` leads it, ``other_orgs`` take part."""

    name: str
    slug: str
    number: str | None
    org: Org
    other_orgs: Sequence[Org]
    copilot: User | None
    copilot_support_ends_at: datetime | None
    copilot_notes: str
    status: str
    status_description: str
    category: str


def version(db: Session, project: Project) -> str:
    """What tells the project, as it is, from what it was or becomes."""
    return version_of(*_state(project, _orgs_of(db, project)))


def edit(
    db: Session,
    project: Project,
    wanted: Wanted,
    *,
    seen: str,
    by: User | Identity,
    reason: str = "",
    take_over: bool = False,
) -> bool:
    """Make the project what is wanted; returns whether that changed anything.

    Its old address leads to the new one. ``seen`` is the :func:`version` that the person saw. Raises
    :class:`~jobserver.actions.naming.Refused` or :class:`~jobserver.actions.versions.ChangedMeanwhile`.
    """
    naming.lock(db)
    db.flush()
    db.refresh(project, [*FIELDS, "updated_at"], with_for_update=True)
    old_orgs = _orgs_of(db, project)
    values = {
        **_columns(wanted),
        "org_id": wanted.org.id,
        "copilot_id": wanted.copilot.id if wanted.copilot else None,
    }
    new_orgs = {org.id: org.name for org in [wanted.org, *wanted.other_orgs]}
    if new_orgs.keys() == old_orgs.keys() and all(
        getattr(project, name) == value for name, value in values.items()
    ):
        return False
    check_version(seen, *_state(project, old_orgs))
    _check_names(db, project, values, wanted.org, take_over)
    old_path, old_slug = redirects.path_of(db, project), project.slug
    words = {
        "org_id": (old_orgs.get(project.org_id, ""), wanted.org.name),
        "copilot_id": (_label(db.get(User, project.copilot_id or 0)), _label(wanted.copilot)),
    }
    also = {}
    if new_orgs.keys() != old_orgs.keys():
        also["orgs"] = (_sorted(old_orgs.values()), _sorted(new_orgs.values()))
        _set_orgs(db, project, old_orgs.keys(), new_orgs.keys(), by)
    changed = changes.edit(
        db,
        project,
        values,
        AuditType.PROJECT_UPDATED,
        by=by,
        also=also,
        words=words,
        reason=reason,
        parent=project,
    )
    redirects.leave_behind(db, project, old_path, by)
    if project.slug != old_slug:
        # By its slug alone, as before projects lay below organisations, it is still found, too.
        redirects.leave_behind(db, project, f"/{old_slug}/", by)
    return changed


def _columns(wanted: Wanted) -> dict[str, Any]:
    return {
        "name": naming.trimmed("name", wanted.name),
        "slug": naming.checked_slug(wanted.slug),
        "number": projects.checked_number(wanted.number),
        "copilot_support_ends_at": wanted.copilot_support_ends_at,
        "copilot_notes": wanted.copilot_notes,
        "status": wanted.status,
        "status_description": wanted.status_description,
        "category": wanted.category,
    }


def _check_names(db: Session, project: Project, values: dict[str, Any], org: Org, take_over: bool) -> None:
    slug: str = values["slug"]
    # Only the letters' case differs: the word is the project's own already.
    if slug.lower() != project.slug.lower():
        projects.claim(db, slug)
    projects.check_free(db, values["name"], values["number"], but=project.id)
    if (slug, org.id) != (project.slug, project.org_id) and not take_over:
        redirects.check_not_old(db, f"/{slug}/", f"/{org.slug}/{slug}/", thing=project)


def _orgs_of(db: Session, project: Project) -> dict[int, str]:
    statement = (
        select(Org.id, Org.name)
        .join(ProjectCollaboration, ProjectCollaboration.org_id == Org.id)
        .where(ProjectCollaboration.project_id == project.id)
        .order_by(func.lower(Org.name), Org.id)
    )
    return {row[0]: row[1] for row in db.execute(statement)}


def _set_orgs(
    db: Session, project: Project, old: Iterable[int], new: Iterable[int], by: User | Identity
) -> None:
    """Only the difference: it stays known who brought an organisation in, and when."""
    mine = ProjectCollaboration.project_id == project.id
    gone = [*(set(old) - set(new))]
    for row in db.scalars(select(ProjectCollaboration).where(mine, ProjectCollaboration.org_id.in_(gone))):
        db.delete(row)
    now = utcnow()
    stamps = {"created_at": now, "created_by_id": id_of(by), "updated_at": now, "updated_by_id": id_of(by)}
    for org_id in sorted(set(new) - set(old)):
        db.add(ProjectCollaboration(project_id=project.id, org_id=org_id, **stamps))
    # The lead must be among them only once the transaction ends.


def _state(project: Project, orgs: dict[int, str]) -> list[str]:
    columns = [changes.version(project, name) for name in FIELDS]
    return [*columns, *map(str, sorted(orgs))]


def _label(person: User | None) -> str:
    return person.username if person else ""


def _sorted(names: Iterable[str]) -> list[str]:
    return sorted(names, key=str.lower)
