"""Organisations and who belongs to them."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from jobserver.actions import affiliations, changes, naming, redirects
from jobserver.actions.audit import Actor, record
from jobserver.actions.naming import Malformed, Refused, Taken
from jobserver.actions.users import Person
from jobserver.models import AuditType, Org, User
from jobserver.security.identity import Identity

# What can be edited, apart from who belongs to it.
EDITABLE = (
    *("name", "slug", "description", "logo_file"),
    *("output_checking_repo", "output_checking_channel", "is_internal", "has_no_copilots"),
)
# What the list of organisations in the staff area has as a page of its own.
IN_STAFF_AREA = frozenset({"add"})
# What GitHub allows as the name of an account.
_ON_GITHUB = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}")


def create(
    db: Session,
    *,
    by: Person,
    name: str,
    slug: str | None = None,
    description: str = "",
    github_orgs: Iterable[str] = (),
    take_over: bool = False,
) -> Org:
    """Make an organisation; its slug is made from the name unless given (spec: domain 3.5).

    ``take_over``: end redirects that still lead from its address to something else.
    Raises :class:`~jobserver.actions.naming.Malformed`, :class:`~jobserver.actions.naming.Taken` or
    :class:`~jobserver.actions.redirects.LeadsElsewhere`.
    """
    name = naming.trimmed("name", name)
    slug = naming.slug_for(name, slug)
    naming.claim_at_root(db, slug, also_reserved=IN_STAFF_AREA)
    _check_name(db, name)
    if not take_over:
        redirects.check_not_old(db, f"/{slug}/")
    author = Actor.of(by).user_id
    org = Org(
        name=name,
        slug=slug,
        description=description.strip(),
        github_orgs=list(dict.fromkeys(github_orgs)),
        created_by_id=author,
        updated_by_id=author,
    )
    org.updated_at = org.created_at
    db.add(org)
    db.flush()
    redirects.make_way(db, org, by=by)
    record(db, AuditType.ORG_CREATED, by=by, target=org, parent=org)
    return org


def edit(
    db: Session,
    org: Org,
    wanted: Mapping[str, Any],
    *,
    seen: str,
    by: User | Identity,
    take_over: bool = False,
) -> bool:
    """Give these of the :data:`EDITABLE` columns these values; returns whether that changed anything.

    Its former address leads to it afterwards. Raises what :func:`create` raises, and
    :class:`~jobserver.actions.versions.ChangedMeanwhile`.
    """
    naming.lock(db)
    db.refresh(org, [*EDITABLE], with_for_update=True)
    old_path = redirects.path_of(db, org)
    name, slug = naming.trimmed("name", wanted["name"]), naming.checked_slug(wanted["slug"])
    if changes.version(org, *EDITABLE) == seen:
        if slug.lower() != org.slug.lower():
            naming.claim_at_root(db, slug, also_reserved=IN_STAFF_AREA)
        if name.lower() != org.name.lower():
            _check_name(db, name)
        if slug != org.slug and not take_over:
            redirects.check_not_old(db, f"/{slug}/", thing=org)
    values = {**wanted, "name": name, "slug": slug}
    changed = changes.edit(db, org, values, AuditType.ORG_UPDATED, by=by, seen=seen, parent=org)
    redirects.leave_behind(db, org, old_path, by)
    return changed


def add_github_org(db: Session, org: Org, name: str, *, by: Person) -> None:
    """Let the organisation's studies lie below this GitHub organisation too.

    Raises :class:`~jobserver.actions.naming.Refused` if GitHub can have no such name, or it is there already.
    """
    name = name.strip()
    if not _ON_GITHUB.fullmatch(name):
        raise Malformed("name", "needs 1 to 39 letters from A to Z, digits and -, and nothing else")
    db.refresh(org, ["github_orgs"], with_for_update=True)
    if name.lower() in {each.lower() for each in org.github_orgs}:
        raise Refused("name", f"{name} is one of them already.")
    wanted = {"github_orgs": [*org.github_orgs, name]}
    changes.edit(db, org, wanted, AuditType.ORG_UPDATED, by=by, parent=org)


def remove_github_org(db: Session, org: Org, name: str, *, by: Person) -> bool:
    """Take this GitHub organisation away; returns False if it is none of them."""
    db.refresh(org, ["github_orgs"], with_for_update=True)
    left = [each for each in org.github_orgs if each != name]
    return changes.edit(db, org, {"github_orgs": left}, AuditType.ORG_UPDATED, by=by, parent=org)


def add_member(
    db: Session, org: Org, user: User, *, by: Person, ends_at: datetime | None = None, reason: str = ""
) -> bool:
    """Affiliate the user with the organisation, until then; returns False if they were already."""
    return affiliations.add(db, affiliations.ORGS, org, user, by=by, ends_at=ends_at, reason=reason)


def remove_member(db: Session, org: Org, user: User, *, by: Person, reason: str = "") -> bool:
    """End the user's affiliation; returns False if there is none."""
    return affiliations.remove(db, affiliations.ORGS, org, user, by=by, reason=reason)


def _check_name(db: Session, name: str) -> None:
    if db.scalar(select(Org.id).where(func.lower(Org.name) == name.lower())):
        raise Taken("name", name, "another organisation")
