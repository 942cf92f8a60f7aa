"""Signing in with GitHub, giving a name the first time, signing out (spec: access 4.1-4.3, 8.1; pages 6)."""

import hmac
import time
from typing import Any

import structlog
from pyramid.csrf import new_csrf_token
from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.security import forget, remember
from pyramid.view import exception_view_config, view_config

from jobserver.actions import users
from jobserver.actions.naming import Malformed, Refused
from jobserver.db import release_connection
from jobserver.forms.sign_in import NameForm
from jobserver.models import User
from jobserver.resources import Root
from jobserver.resources.links import page_url
from jobserver.security import sessions
from jobserver.security.github import CodeRefused, GithubPerson, GithubSignIn, GithubUnavailable
from jobserver.security.next_url import safe_next
from jobserver.security.policy import cookie_prefix
from jobserver.views.errors import fresh_transaction

log = structlog.get_logger("jobserver.sign_in")

TO_GITHUB = "^/login/github/?$"
FROM_GITHUB = "^/complete/github/?$"
# What the signed cookie carries to GitHub and back, and to the page that asks for a name; seconds.
DEPARTURE, REGISTRATION = "sign_in", "registration"
VALID_FOR = 3600
OWN_PAGES = ("/login/", "/complete/", "/enter-your-name/", "/logout/")


class SignInFailed(Exception):
    """Nobody was signed in and nothing was made, but trying again may help. ``why`` names the words."""

    def __init__(self, why: str, status: int, target: str = "/") -> None:
        self.why = why
        self.status = status
        self.target = target
        super().__init__(why)


class SignInRefused(Exception):
    """Nobody was signed in and nothing was made, and trying again will not help."""

    def __init__(self, why: str, status: int = 403, **details: str) -> None:
        self.why = why
        self.status = status
        self.details = details
        super().__init__(why)


def next_page(request: Request, wanted: str | None) -> str:
    """Where to go afterwards; never back to a step of signing in."""
    target = safe_next(wanted)
    return "/" if target.startswith(OWN_PAGES) else target


def _sign_in_page(request: Request, target: str, why: str = "") -> dict[str, Any]:
    action = page_url(request, "login", "github")
    return {"next": target, "why": why, "action": action, "breadcrumbs": _crumbs(request, "Sign in")}


def _crumbs(request: Request, title: str) -> list[tuple[str, str]]:
    return [("Home", page_url(request)), (title, "")]


@view_config(
    context=Root,
    name="login",
    public=True,
    request_method="GET",
    renderer="jobserver:templates/sign_in/sign_in.jinja2",
    http_cache=0,
)
def sign_in(context: Root, request: Request) -> Response | dict[str, Any]:
    """The page with the one button."""
    target = next_page(request, request.GET.get("next"))
    if request.identity is not None:
        return HTTPSeeOther(target)
    return _sign_in_page(request, target)


@view_config(
    context=Root,
    name="login",
    path_info=TO_GITHUB,
    subpath_allowed=True,
    public=True,
    request_method="POST",
    require_csrf=False,
    http_cache=0,
)
def to_github(context: Root, request: Request) -> Response:
    """Off to GitHub. A forged request can do no more than a link to GitHub could."""
    target = next_page(request, request.POST.get("next"))
    if request.identity is not None:
        return HTTPSeeOther(target)
    departure = _github(request).depart()
    _keep(request, DEPARTURE, state=departure.state, verifier=departure.verifier, next=target)
    return HTTPSeeOther(departure.url)


@view_config(context=Root, name="login", public=True, request_method="POST", require_csrf=False)
@view_config(
    context=Root,
    name="login",
    path_info=TO_GITHUB,
    subpath_allowed=True,
    public=True,
    request_method=("GET", "PUT", "PATCH", "DELETE"),
    require_csrf=False,
    http_cache=0,
)
def wrong_method(context: Root, request: Request) -> Response:
    """405: signing in begins with a form only, and its page takes none."""
    return Response(status=405, allow=["POST"] if request.subpath else ["GET"])


@view_config(
    context=Root,
    name="complete",
    path_info=FROM_GITHUB,
    subpath_allowed=True,
    public=True,
    request_method="GET",
    writes_on_get=True,
    http_cache=0,
)
def from_github(context: Root, request: Request) -> Response:
    """Back from GitHub: whoever GitHub vouches for is signed in, or told why not."""
    kept = _take(request, DEPARTURE)
    if request.identity is not None:
        raise SignInRefused("signed-in", 409, username=request.identity.username)
    given = request.GET.get("state", "")
    if not kept or not hmac.compare_digest(given.encode(), kept["state"].encode()):
        raise SignInFailed("unknown", 400)
    if "error" in request.GET:
        if request.GET["error"] == "access_denied":
            raise SignInFailed("denied", 200, kept["next"])
        log.warning("github_sign_in_failed", reason="GitHub sent the browser back with an error")
        raise SignInFailed("github", 502, kept["next"])
    release_connection(request)
    try:
        person = _github(request).person(request.GET.get("code", ""), kept["verifier"])
    except CodeRefused:
        raise SignInFailed("code", 400, kept["next"]) from None
    except GithubUnavailable as fault:
        log.warning("github_sign_in_failed", reason=fault.reason)
        raise SignInFailed("github", 502, kept["next"]) from None
    try:
        user = _register(request, person)
    except Malformed:
        _keep(
            request,
            REGISTRATION,
            uid=person.uid,
            login=person.login,
            email=person.verified_email,
            next=kept["next"],
        )
        return HTTPSeeOther(page_url(request, "enter-your-name"))
    return _signed_in(request, user, kept["next"])


@view_config(
    context=Root,
    name="enter-your-name",
    public=True,
    request_method=("GET", "POST"),
    renderer="jobserver:templates/sign_in/name.jinja2",
    http_cache=0,
)
def enter_your_name(context: Root, request: Request) -> Response | dict[str, Any]:
    """The name, if GitHub has none; then the account is opened."""
    kept = _peek(request, REGISTRATION)
    if request.identity is not None or not kept:
        return HTTPSeeOther(page_url(request))
    form = NameForm(request.POST)
    if request.method != "POST" or not form.validate():
        crumbs = _crumbs(request, "Enter your name")
        return {"form": form, "login": kept["login"], "breadcrumbs": crumbs}
    person = GithubPerson(kept["uid"], kept["login"], form.name.data or "", kept["email"])
    user = _register(request, person)
    if user.last_login is not None:
        # A copy of the cookie from before the first sign-in: it opens an account, and no door after that.
        raise SignInFailed("unknown", 400, kept["next"])
    return _signed_in(request, user, kept["next"])


@view_config(context=Root, name="logout", public=True, request_method="POST", http_cache=0)
def sign_out(context: Root, request: Request) -> Response:
    """End this browser's session."""
    _end_session(request)
    return HTTPSeeOther(next_page(request, request.POST.get("next")), headers=forget(request))


@exception_view_config(
    context=SignInFailed, renderer="jobserver:templates/sign_in/sign_in.jinja2", http_cache=0
)
def failed(exc: SignInFailed, request: Request) -> dict[str, Any]:
    """The sign-in page again, with what happened."""
    fresh_transaction(request)
    request.response.status_int = exc.status
    return _sign_in_page(request, exc.target, exc.why)


@exception_view_config(
    context=SignInRefused, renderer="jobserver:templates/sign_in/refused.jinja2", http_cache=0
)
def refused(exc: SignInRefused, request: Request) -> dict[str, Any]:
    """Why not, and what can be done."""
    fresh_transaction(request)
    request.response.status_int = exc.status
    actions = {"sign_in": page_url(request, "login"), "sign_out": page_url(request, "logout")}
    return {"why": exc.why, "details": exc.details, "breadcrumbs": _crumbs(request, "Sign in"), **actions}


def _github(request: Request) -> GithubSignIn:
    return GithubSignIn.from_settings(request.registry["settings"], page_url(request, "complete", "github"))


def _register(request: Request, person: GithubPerson) -> User:
    """The person's account. :class:`Malformed` if only the name is missing."""
    try:
        return users.register_github(
            request.db,
            uid=person.uid,
            login=person.login,
            name=person.name,
            verified_email=person.verified_email,
        )
    except users.AccountDisabled:
        raise SignInRefused("disabled") from None
    except users.UsernameTaken:
        raise SignInRefused("username", 409, login=person.login) from None
    except users.EmailTaken:
        raise SignInRefused("email", 409, email=person.verified_email or "") from None
    except Refused as fault:
        if fault.field == "name":
            raise
        raise SignInRefused(
            "unverified" if fault.field == "email" else "username", login=person.login
        ) from None


def _signed_in(request: Request, user: User, target: str) -> Response:
    """Start a session; nothing that the browser had before is kept (spec: access 4.1.6)."""
    _end_session(request)
    token = sessions.start(
        request.db, user, user_agent=request.user_agent or "", address=request.client_address
    )
    return HTTPSeeOther(target, headers=remember(request, token, lifetime=sessions.lifetime(user)))


def _end_session(request: Request) -> None:
    old = request.cookies.get(cookie_prefix(request.registry["settings"]) + "sessionid")
    if old:
        sessions.end(request.db, old)
    request.session.invalidate()
    new_csrf_token(request)


def _keep(request: Request, name: str, **values: str | None) -> None:
    request.session.invalidate()
    request.session[name] = {**values, "until": int(time.time()) + VALID_FOR}


def _peek(request: Request, name: str) -> dict[str, Any] | None:
    kept = request.session.get(name)
    return kept if kept and kept["until"] > time.time() else None


def _take(request: Request, name: str) -> dict[str, Any] | None:
    """What was kept, once."""
    kept = _peek(request, name)
    request.session.pop(name, None)
    return kept
