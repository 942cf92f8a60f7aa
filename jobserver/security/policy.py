"""Pyramid's security policy: who calls, and the access lists of the tree.

People call with a session cookie. Below ``/api/`` nobody is anybody until the resource that is asked for has
said which proof it takes, see :mod:`jobserver.resources.api`.
"""

from datetime import timedelta
from typing import Any

from pyramid.authorization import ACLHelper
from pyramid.config import Configurator
from pyramid.request import Request, RequestLocalCache

from jobserver.security import sessions
from jobserver.security.callers import ProgramCaller
from jobserver.security.identity import Identity, principals
from jobserver.settings import Settings


def cookie_prefix(settings: Settings) -> str:
    """``__Host-`` where cookies travel over HTTPS only: no neighbour host can then set them."""
    return "__Host-" if settings.base_url.startswith("https://") else ""


class Policy:
    """Knows a caller by the cookie ``sessionid``."""

    def __init__(self, settings: Settings) -> None:
        self.secure = settings.base_url.startswith("https://")
        self.cookie_name = cookie_prefix(settings) + "sessionid"
        self.acl = ACLHelper()
        self.identities = RequestLocalCache(self._load)
        self.callers = RequestLocalCache(lambda _request: None)

    def _load(self, request: Request) -> Identity | None:
        token = request.cookies.get(self.cookie_name)
        identity = sessions.identify(request.db, token) if token else None
        _have_logged(request, identity)
        return identity

    def identity(self, request: Request) -> Identity | None:
        """The caller, looked up once per request."""
        found: Identity | None = self.identities.get_or_create(request)
        return found

    def authenticated_userid(self, request: Request) -> int | None:
        """The caller's user id."""
        identity = self.identity(request)
        return identity.user_id if identity else None

    def permits(self, request: Request, context: Any, permission: str) -> Any:
        """Whether the access lists from the context to the root allow it."""
        return self.acl.permits(context, self._principals(request), permission)

    def _principals(self, request: Request) -> set[str]:
        if not request.path_info.startswith("/api/"):
            return principals(self.identity(request))
        caller = self.caller(request)
        return principals(caller) if caller is None or isinstance(caller, Identity) else caller.principals

    def caller(self, request: Request) -> Identity | ProgramCaller | None:
        """Who has proved to be calling the JSON API; None for nobody."""
        found: Identity | ProgramCaller | None = self.callers.get_or_create(request)
        return found

    def call_as(self, request: Request, caller: Identity | ProgramCaller | None) -> None:
        """From now on the request is this caller's."""
        self.callers.set(request, caller)
        _have_logged(request, caller)

    def remember(
        self, request: Request, token: str, *, lifetime: timedelta = sessions.LIFETIME, **_options: Any
    ) -> list[tuple[str, str]]:
        """Headers that give the browser its session cookie, for as long as the session lasts."""
        return self._cookie(request, token, int(lifetime.total_seconds()))

    def forget(self, request: Request, **_options: Any) -> list[tuple[str, str]]:
        """Headers that take the session cookie away."""
        return self._cookie(request, "", 0)

    def _cookie(self, request: Request, value: str, max_age: int) -> list[tuple[str, str]]:
        response = request.response.__class__()
        response.set_cookie(
            self.cookie_name,
            value,
            max_age=max_age,
            path="/",
            secure=self.secure,
            httponly=True,
            samesite="Lax",
        )
        return [("Set-Cookie", header) for header in response.headers.getall("Set-Cookie")]


def _have_logged(request: Request, caller: Identity | ProgramCaller | None) -> None:
    """Have the request's line of the log name the caller, if it is a person."""
    if isinstance(caller, Identity):
        request.environ["jobserver.user_id"] = caller.user_id


def includeme(config: Configurator) -> None:
    """Set the policy; add ``request.caller`` and ``request.call_as`` for the JSON API."""
    policy = Policy(config.registry["settings"])
    config.set_security_policy(policy)
    config.add_request_method(lambda request: policy.caller(request), "caller", property=True)
    config.add_request_method(lambda request, caller: policy.call_as(request, caller), "call_as")
