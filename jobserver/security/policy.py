"""Pyramid's security policy for browsers: a session cookie, and the access lists of the tree."""

from datetime import timedelta
from typing import Any

from pyramid.authorization import ACLHelper
from pyramid.request import Request, RequestLocalCache

from jobserver.security import sessions
from jobserver.security.identity import Identity, principals
from jobserver.settings import Settings


def cookie_prefix(settings: Settings) -> str:
    """``__Host-`` where cookies travel over HTTPS only: no neighbour host can then set them."""
    return "__Host-" if settings.base_url.startswith("https://") else ""


class SessionPolicy:
    """Knows a caller by the cookie ``sessionid``."""

    def __init__(self, settings: Settings) -> None:
        self.secure = settings.base_url.startswith("https://")
        self.cookie_name = cookie_prefix(settings) + "sessionid"
        self.acl = ACLHelper()
        self.identities = RequestLocalCache(self._load)

    def _load(self, request: Request) -> Identity | None:
        token = request.cookies.get(self.cookie_name)
        return sessions.identify(request.db, token) if token else None

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
        return self.acl.permits(context, principals(self.identity(request)), permission)

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
