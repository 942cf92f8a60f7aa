"""What the tabs of the settings share."""

from typing import Any

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request

from jobserver.resources import SettingsResource
from jobserver.resources.links import view_url

TABS = {
    "": "Account",
    "notifications": "Notifications",
    "sessions": "Sessions",
    "access": "Roles and backends",
    "level-4": "Level 4 token",
    "tokens": "API tokens",
    "display": "Display",
}


def frame(context: SettingsResource, request: Request, tab: str = "") -> dict[str, Any]:
    """Tabs and breadcrumbs of one of the pages."""
    tabs = [
        {"label": label, "href": view_url(request, context, name), "current": name == tab}
        for name, label in TABS.items()
    ]
    crumbs: list[tuple[str, str | None]] = [("Settings", view_url(request, context) if tab else None)]
    if tab:
        crumbs.append((TABS[tab], None))
    return {
        "tabs": tabs,
        "breadcrumbs": crumbs,
        "heading": TABS[tab],
        "settings_url": lambda *names: view_url(request, context, *names),
    }


def back(context: SettingsResource, request: Request, tab: str = "", query: Any = None) -> HTTPSeeOther:
    """To one of the tabs, after something was done."""
    return HTTPSeeOther(view_url(request, context, tab, query=query))


def posted(request: Request) -> Any:
    """The form that came, or None if none did: what is stored is shown then."""
    return request.POST if request.method == "POST" else None
