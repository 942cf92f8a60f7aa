"""Names that become part of an address: how they are made, and which words are taken.

An organisation and a project never share a slug, and neither takes a word that the root of
the site already has; a workspace never takes a word that its project already has.
"""

import re
import unicodedata

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from jobserver import locks
from jobserver.models import Org, Project, Workspace

LONGEST = 255
FORM = f"needs 1 to {LONGEST} letters from A to Z, digits, - and _, and nothing else"

RESERVED_AT_ROOT = frozenset(
    {
        *("400", "403", "404", "500", "favicon.ico", "robots.txt", "static", "uploads"),
        *("accessibility", "api", "applications", "apply", "complete", "disconnect", "enter-your-name"),
        *("event-list", "event-log", "getting-started", "health", "health-check", "job-requests", "jobs"),
        *("login", "logout"),
        *(
            "organisations",
            "orgs",
            "projects",
            "publish-repo",
            "publish-requests",
            "release-requests",
            "repo",
            "search",
            "settings",
            "staff",
            "status",
            "ui-components",
        ),
        *("status", "ui-components", "users", "workspaces"),
    }
)
RESERVED_IN_ORG = frozenset({"logs"})
RESERVED_IN_PROJECT = frozenset({"edit", "logs", "new-workspace", "outputs", "releases"})

_SLUG = re.compile(r"[-a-zA-Z0-9_]+")


class Refused(Exception):
    """What was asked for cannot be done. The message is for the person who asked; ``field`` is at fault."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(message)


class Taken(Refused):
    """Somebody or something else has this value already."""

    def __init__(self, field: str, value: str, by: str = "") -> None:
        self.value = value
        super().__init__(field, f"The {field} “{value}” is taken{f' by {by}' if by else ''}. Choose another.")


class Malformed(Refused):
    """The value does not have the form that the field needs."""

    def __init__(self, field: str, why: str) -> None:
        self.why = why
        super().__init__(field, f"The {field} {why}.")


def slugify(name: str) -> str:
    """The name as part of an address; empty without an ASCII letter or digit (spec: domain 2)."""
    ascii_only = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    kept = re.sub(r"[^\w\s-]", "", ascii_only.lower(), flags=re.ASCII)
    return re.sub(r"[-\s]+", "-", kept).strip("-_")[:LONGEST].rstrip("-_")


def slug_for(name: str, slug: str | None) -> str:
    """The slug given, else the one made from the name; :class:`Malformed` if neither will do."""
    wanted = slug or slugify(name)
    if not wanted:
        raise Malformed("name", "needs a letter from A to Z or a digit, which its address is made of")
    return checked_slug(wanted)


def checked_slug(slug: str) -> str:
    """The slug without outer white space, if it can be part of an address."""
    wanted = slug.strip()
    if not _SLUG.fullmatch(wanted) or len(wanted) > LONGEST:
        raise Malformed("slug", FORM)
    return wanted


def lock(db: Session) -> None:
    """Wait until nobody else is giving a name; held until the end of the transaction."""
    db.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": locks.NAMING})


def claim_at_root(db: Session, slug: str, *, also_reserved: frozenset[str] = frozenset()) -> None:
    """Make sure that an organisation or project may have this slug; :class:`Taken` says what has it."""
    lock(db)
    if slug.lower() in RESERVED_AT_ROOT | also_reserved:
        raise Taken("slug", slug, "a page of this site")
    for model, owner in ((Org, "an organisation"), (Project, "a project")):
        if db.scalar(select(model.id).where(func.lower(model.slug) == slug.lower())):
            raise Taken("slug", slug, owner)


def claim_workspace(db: Session, name: str) -> None:
    """Make sure that a workspace may have this name; :class:`Taken` says what has it."""
    lock(db)
    if name.lower() in RESERVED_IN_PROJECT:
        raise Taken("name", name, "a page of its project")
    holder = (
        select(Project.name)
        .join(Workspace, Workspace.project_id == Project.id)
        .where(func.lower(Workspace.name) == name.lower())
    )
    project = db.scalar(holder)
    if project is not None:
        raise Taken("name", name, f"another workspace, of the project “{project}”")


def trimmed(field: str, value: str, longest: int = LONGEST) -> str:
    """The text without outer white space; :class:`Malformed` if nothing or too much is left."""
    kept = " ".join(value.split())
    if not kept or not kept.isprintable():
        raise Malformed(field, "needs at least one visible character and no control characters")
    if len(kept) > longest:
        raise Malformed(field, f"may have at most {longest} characters")
    return kept
