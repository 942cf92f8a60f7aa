"""Organisations and who belongs to them."""

from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from jobserver.actions import naming
from jobserver.actions.audit import Actor, record
from jobserver.actions.naming import Taken
from jobserver.actions.users import Person
from jobserver.models import AuditType, Org, OrgMembership, User


def create(
    db: Session,
    *,
    by: Person,
    name: str,
    slug: str | None = None,
    description: str = "",
    github_orgs: Iterable[str] = (),
) -> Org:
    """Make an organisation; its slug is made from the name unless given (spec: domain 3.5).

    Raises :class:`~jobserver.actions.naming.Malformed` or :class:`~jobserver.actions.naming.Taken`.
    """
    name = naming.trimmed("name", name)
    slug = naming.slug_for(name, slug)
    naming.claim_at_root(db, slug)
    if db.scalar(select(Org.id).where(func.lower(Org.name) == name.lower())):
        raise Taken("name", name, "another organisation")
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
    record(db, AuditType.ORG_CREATED, by=by, target=org, parent=org)
    return org


def add_member(db: Session, org: Org, user: User, *, by: Person) -> bool:
    """Affiliate the user with the organisation; returns False if they were already."""
    mine = (OrgMembership.org_id == org.id, OrgMembership.user_id == user.id)
    if db.scalar(select(OrgMembership.id).where(*mine)):
        return False
    membership = OrgMembership(org_id=org.id, user_id=user.id, created_by_id=Actor.of(by).user_id)
    db.add(membership)
    db.flush()
    record(db, AuditType.ORG_MEMBER_ADDED, by=by, target=membership, target_user=user, parent=org)
    return True
