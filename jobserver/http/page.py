"""What the page frame needs on every page: flashes, site alerts, the theme."""

from dataclasses import asdict, dataclass
from typing import Any

from pyramid.config import Configurator
from pyramid.csrf import get_csrf_token
from pyramid.events import BeforeRender
from pyramid.request import Request

from jobserver.queries.site import site_alerts
from jobserver.templating.preferences import Preferences


@dataclass(frozen=True)
class Flash:
    """A message shown once: plain text, and at most one link. Never HTML."""

    level: str
    text: str
    link_url: str = ""
    link_text: str = ""


def add_flash(request: Request, level: str, text: str, link_url: str = "", link_text: str = "") -> None:
    """Show a message (``success``, ``info``, ``warning`` or ``danger``) on the next page."""
    request.session.flash([level, text, link_url, link_text])


def take_flashes(request: Request) -> list[Flash]:
    """The waiting messages, which are then gone."""
    return [Flash(*parts) for parts in request.session.pop_flash()] if _has_session(request) else []


def _has_session(request: Request) -> bool:
    return any(name.endswith("carry") for name in request.cookies) or "session" in request.__dict__


def add_frame(event: BeforeRender) -> None:
    """Give templates what the frame shows."""
    request: Request | None = event.get("request")
    if request is None:
        return
    identity = request.identity
    # A part of a page that refreshes itself has no frame: it must not use up what the next page should show.
    whole = "HX-Request" not in request.headers
    frame: dict[str, Any] = {
        "identity": identity,
        "settings": request.registry["settings"],
        "flashes": take_flashes(request) if whole else [],
        "site_alerts": site_alerts(request.db) if identity and whole else [],
        **asdict(Preferences.read(request.cookies)),
        "site_pages": request.registry.get("site_pages", frozenset()),
        "csrf_token": lambda: get_csrf_token(request),
        "breadcrumbs": [],
    }
    for name, value in frame.items():
        event.setdefault(name, value)


def includeme(config: Configurator) -> None:
    """Add ``request.flash`` and the frame."""
    config.add_request_method(add_flash, "flash")
    config.add_subscriber(add_frame, BeforeRender)
