"""Old addresses: what is renamed or moved is still found where it was (spec: staff 17.11, domain 13.28)."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from jobserver.actions.audit import Actor, id_of, label_of, record
from jobserver.actions.naming import Refused
from jobserver.actions.users import Person
from jobserver.models import AuditType, Org, Project, Redirect, User, Workspace, utcnow
from jobserver.security.identity import Identity

Place = Org | Project | Workspace


class LeadsElsewhere(Refused):
    """The address wanted is an old one of something else, and still leads there."""

    def __init__(self, label: str) -> None:
        self.label = label
        super().__init__(
            "slug",
            f"Old links with this address still lead to “{label}”. Tick the box below to end that, or"
            " choose another.",
        )


def path_of(db: Session, place: Place) -> str:
    """The path of the public page of an organisation, project or workspace, as it is stored."""
    db.flush()
    if isinstance(place, Org):
        return f"/{place.slug}/"
    if isinstance(place, Project):
        org = db.get_one(Org, place.org_id)
        return f"/{org.slug}/{place.slug}/"
    return f"{path_of(db, db.get_one(Project, place.project_id))}{place.name}/"


def leave_behind(db: Session, thing: Place, old_path: str, by: User | Identity) -> None:
    """Let the thing's former path lead to it, once it has its new one.

    Redirects from the new path, or from what it lies below, end: what exists is found there again, and no
    two of them lead in a circle.
    """
    new_path = path_of(db, thing)
    if new_path == old_path:
        return
    make_way(db, thing, by=by)
    for earlier in _live(db, [old_path]):
        end(db, earlier, by=by)
    key = {f"{type(thing).__name__.lower()}_id": thing.id}
    redirect = Redirect(old_url=old_path, created_by_id=id_of(by), **key)
    db.add(redirect)
    db.flush()
    record(db, AuditType.REDIRECT_CREATED, by=by, target=redirect, parent=thing, new=old_path)


def make_way(db: Session, thing: Place, *, by: Person) -> None:
    """End the redirects from the thing's path, or from what it lies below: that is found there itself."""
    paths = _with_parents(path_of(db, thing))
    if isinstance(thing, Project):
        paths.append(f"/{thing.slug}/")
    for redirect in _live(db, paths):
        end(db, redirect, by=by)


def end(db: Session, redirect: Redirect, *, by: Person, reason: str = "") -> None:
    """Let the old address lead nowhere; the row stays, with who did it."""
    redirect.deleted_at = redirect.updated_at = utcnow()
    redirect.deleted_by_id = Actor.of(by).user_id
    record(
        db,
        AuditType.REDIRECT_DELETED,
        by=by,
        target=redirect,
        parent=target_of(db, redirect),
        old=redirect.old_url,
        reason=reason,
    )


def target_of(db: Session, redirect: Redirect) -> Place:
    """What the redirect leads to."""
    if redirect.org_id is not None:
        return db.get_one(Org, redirect.org_id)
    if redirect.project_id is not None:
        return db.get_one(Project, redirect.project_id)
    return db.get_one(Workspace, redirect.workspace_id)


def check_not_old(db: Session, *paths: str, thing: Place | None = None) -> None:
    """Raise :class:`LeadsElsewhere` if one of the paths still leads to anything but the thing."""
    for redirect in _live(db, paths):
        target = target_of(db, redirect)
        if target is not thing:
            raise LeadsElsewhere(label_of(target))


def _live(db: Session, paths: Sequence[str]) -> list[Redirect]:
    mine = (Redirect.old_url.in_(paths), Redirect.deleted_at.is_(None), Redirect.expires_at > utcnow())
    return list(db.scalars(select(Redirect).where(*mine).order_by(Redirect.id)))


def _with_parents(path: str) -> list[str]:
    parts = path.strip("/").split("/")
    return ["/" + "/".join(parts[:length]) + "/" for length in range(1, len(parts) + 1)]
