"""Where one is signed in, and ending it."""

from typing import Any

from pyramid.httpexceptions import HTTPNotFound, HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.security import forget
from pyramid.view import view_config

from jobserver.actions import sessions as actions
from jobserver.models import utcnow
from jobserver.queries import settings as queries
from jobserver.queries.path import as_id
from jobserver.resources import SettingsResource
from jobserver.resources.links import page_url
from jobserver.security.permissions import Permission
from jobserver.templating.browsers import browser
from jobserver.views.pages import pager_of
from jobserver.views.settings.frame import back, frame

TAB = "sessions"


@view_config(
    context=SettingsResource,
    name=TAB,
    permission=Permission.ACCOUNT,
    request_method="GET",
    renderer="jobserver:templates/settings/sessions.jinja2",
    http_cache=0,
)
def sessions(context: SettingsResource, request: Request) -> dict[str, Any]:
    """Every browser in which one is signed in."""
    me, now = request.identity, utcnow()
    pages = pager_of(request, queries.number_of_sessions(request.db, me.user_id, now), queries.PAGE)
    return {
        **frame(context, request, TAB),
        "sessions": queries.sessions(request.db, me, now, limit=pages.size, offset=pages.offset),
        "paging": pages,
        "browser": browser,
        "now": now,
    }


@view_config(
    context=SettingsResource,
    name="end-session",
    permission=Permission.ACCOUNT,
    request_method="POST",
    http_cache=0,
)
def end_one(context: SettingsResource, request: Request) -> Response:
    """Sign one browser out; 404 if it is not one's own."""
    me = request.identity
    session_id = as_id(request.POST.get("session", ""))
    name = actions.end(request.db, me, session_id) if session_id else None
    if name is None:
        raise HTTPNotFound
    if session_id == me.session_id:
        return HTTPSeeOther(page_url(request), headers=forget(request))
    request.flash("success", f"{name} is signed out.")
    return back(context, request, TAB)


@view_config(
    context=SettingsResource,
    name="end-other-sessions",
    permission=Permission.ACCOUNT,
    request_method="POST",
    http_cache=0,
)
def end_others(context: SettingsResource, request: Request) -> Response:
    """Sign every browser out but this one."""
    ended = actions.end_others(request.db, request.identity)
    if ended:
        browsers = "1 other browser is" if ended == 1 else f"{ended} other browsers are"
        request.flash("success", f"{browsers} signed out.")
    else:
        request.flash("info", "You were signed in nowhere else.")
    return back(context, request, TAB)
