"""What the pages about one person in the staff area share."""

from typing import Any

from pyramid.request import Request

from jobserver.models import User, utcnow
from jobserver.queries.staff import user as queries
from jobserver.queries.staff.user import Facts
from jobserver.resources.links import page_url

TABS = {"": "Access", "account": "Account"}


def user_url(request: Request, user: User, *names: str, query: Any = None) -> str:
    """The address of one of the person's pages."""
    return page_url(request, "staff", "users", user.username, *names, query=query)


def frame(request: Request, user: User, here: str = "", *, facts: Facts | None = None) -> dict[str, Any]:
    """Title and breadcrumbs of a page about the person. ``here``: what the page is called, if a form."""
    return {
        "person": user,
        "facts": facts or queries.facts(request.db, user),
        "is_own": request.identity is not None and request.identity.user_id == user.id,
        "user_url": lambda *names: user_url(request, user, *names),
        "url": lambda *names: page_url(request, *names),
        "now": utcnow(),
        "breadcrumbs": _crumbs(request, user, here),
    }


def tabs(request: Request, user: User, facts: Facts, current: str) -> list[dict[str, Any]]:
    """The tabs: the person's own pages, and lists that others make."""
    mine = [
        {
            "label": label,
            "href": user_url(request, user, *([name] if name else [])),
            "current": name == current,
        }
        for name, label in TABS.items()
    ]
    requests = page_url(request, "staff", "job-requests", query={"user": user.username})
    return [
        *mine,
        {"label": "Job requests", "href": requests, "count": facts.requests},
        {
            "label": "Audit log",
            "href": user_url(request, user, "audit-log"),
            "current": current == "audit-log",
        },
    ]


def _crumbs(request: Request, user: User, here: str) -> list[tuple[str, str | None]]:
    trail: list[tuple[str, str | None]] = [
        ("Staff area", page_url(request, "staff")),
        ("Users", page_url(request, "staff", "users")),
        (user.username, user_url(request, user) if here else None),
    ]
    return [*trail, (here, None)] if here else trail
