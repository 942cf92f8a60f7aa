"""Around everything: the request's id and log lines, security headers, limits, believed hosts.

Spec: operations 3.4, 3.5, 7.1; access 6 and 8.5.
"""

import re
import secrets
import time
import uuid
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import structlog
from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPBadRequest, HTTPFound, HTTPRequestEntityTooLarge
from pyramid.request import Request
from pyramid.response import Response
from pyramid.tweens import INGRESS

from jobserver.settings import Settings

Handler = Callable[[Request], Response]
log = structlog.get_logger("jobserver.request")

MAX_BODY = 2_621_440
_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
PLAIN_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "browsing-topics=(), interest-cohort=()",
    "X-Frame-Options": "SAMEORIGIN",
}


def client_address(peer: str, forwarded: str, trusted: tuple[str, ...]) -> str:
    """The first address from the right that is not a trusted proxy's (spec: operations 3.4)."""
    chain = [part.strip() for part in forwarded.split(",") if part.strip()] + [peer]
    for address in reversed(chain):
        if not address.startswith(trusted):
            return address
    return chain[0]


def _proxies(request: Request) -> tuple[str, ...]:
    """The beginnings of the addresses of the proxies in front, which are believed."""
    prefixes = request.registry["settings"].trusted_proxies.split(",")
    return tuple(prefix.strip() for prefix in prefixes if prefix.strip())


def request_id(request: Request) -> str:
    """What the log and the answer call this request: as the proxy in front does, or a new UUID."""
    given = request.headers.get("X-Request-Id", "")
    believed = (request.remote_addr or "").startswith(_proxies(request)) and _REQUEST_ID.fullmatch(given)
    return given if believed else str(uuid.uuid4())


def _content_security_policy(request: Request, settings: Settings) -> str:
    # A form may lead on to GitHub's sign-in page: browsers check redirects of forms too.
    github = "{0.scheme}://{0.netloc}".format(urlsplit(settings.github_url))
    parts = [
        "default-src 'none'",
        "base-uri 'none'",
        "object-src 'none'",
        f"script-src 'self' 'nonce-{request.csp_nonce}'",
        "style-src 'self'",
        "img-src 'self' data: https://avatars.githubusercontent.com",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        f"form-action 'self' {github}",
        "frame-src 'self'",
        "frame-ancestors 'self'",
    ]
    if settings.csp_report_uri:
        parts.append(f"report-uri {settings.csp_report_uri}")
    return "; ".join(parts)


def security_headers(handler: Handler, registry: dict[str, Settings]) -> Handler:
    """Put the security headers on every answer, errors included."""
    settings = registry["settings"]
    https = settings.base_url.startswith("https://")

    def tween(request: Request) -> Response:
        response = handler(request)
        for name, value in PLAIN_HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Content-Security-Policy", _content_security_policy(request, settings))
        if https:
            response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        response.headers["X-Request-Id"] = request.request_id
        return response

    return tween


def limits(handler: Handler, registry: dict[str, Settings]) -> Handler:
    """Refuse hosts that are not ours and bodies that no page needs."""
    settings = registry["settings"]
    base = urlsplit(settings.base_url)
    believed = LOOPBACK | {base.hostname or ""}
    health_check = "/health-check/"

    def tween(request: Request) -> Response:
        host = request.host.rsplit(":", 1)[0] if not request.host.endswith("]") else request.host
        if request.path_info == health_check:
            return handler(request)
        if host.lower() not in believed:
            return _bad_request(request, "This host name is not served here.")
        if request.method in {"GET", "HEAD"} and host != base.hostname and {host, base.hostname} <= LOOPBACK:
            # Development by another of the machine's names: cookies and the way back from GitHub need one.
            return HTTPFound(settings.base_url.rstrip("/") + request.path_qs)
        if (request.content_length or 0) > MAX_BODY and not request.path_info.startswith("/api/"):
            return HTTPRequestEntityTooLarge("The request is larger than 2.5 MiB.")
        if settings.base_url.startswith("https://"):
            request.environ["wsgi.url_scheme"] = "https"
        return handler(request)

    return tween


def _bad_request(request: Request, detail: str) -> Response:
    # Not as text: the path may be unreadable.
    if request.environ["PATH_INFO"].startswith("/api/"):
        return Response(json_body={"detail": detail}, status=400, charset=None, cache_control="no-store")
    return HTTPBadRequest(detail)


def logging(handler: Handler, _registry: dict[str, Settings]) -> Handler:
    """Log each request when it ends, with an id that every line within it carries."""

    def tween(request: Request) -> Response:
        began = time.perf_counter()
        structlog.contextvars.clear_contextvars()
        request.environ["jobserver.client_address"] = client_address(
            request.remote_addr or "", request.headers.get("X-Forwarded-For", ""), _proxies(request)
        )
        structlog.contextvars.bind_contextvars(request_id=request.request_id, ip=request.client_address)
        described = f"{request.method} {request.path_info}"
        try:
            response = handler(request)
        except Exception:
            log.exception("request_failed", request=described, **_ended(request, 500, began))
            raise
        code = response.status_code
        if not request.path_info.startswith("/static/"):
            level = "error" if code >= 500 else "warning" if code >= 400 else "info"
            getattr(log, level)("request_finished", request=described, **_ended(request, code, began))
        return response

    return tween


def _ended(request: Request, code: int, began: float) -> dict[str, Any]:
    """What is told of a request that has ended; ``began`` is of the clock that only measures."""
    context, name = getattr(request, "context", None), getattr(request, "view_name", "")
    route = type(context).__name__ if context is not None else None
    # A name that is no page's may be anything.
    if route and name and code != HTTPStatus.NOT_FOUND:
        route += f".{name}"
    return {
        "code": code,
        "duration_ms": round((time.perf_counter() - began) * 1000, 1),
        "route": route,
        "user_agent": request.user_agent,
        "user_id": request.environ.get("jobserver.user_id"),
    }


def readable_path(handler: Handler, _registry: dict[str, Settings]) -> Handler:
    """Answer 400 to a path that is not UTF-8 or holds a NUL, before anything looks it up."""

    def tween(request: Request) -> Response:
        try:
            readable = "\0" not in request.path_info
        except UnicodeDecodeError:
            readable = False
        return handler(request) if readable else _bad_request(request, "The address is not readable text.")

    return tween


def includeme(config: Configurator) -> None:
    """Outermost first: headers, then the log, then the limits."""
    config.add_request_method(lambda _request: secrets.token_urlsafe(16), "csp_nonce", reify=True)
    config.add_request_method(request_id, reify=True)
    config.add_request_method(
        lambda request: request.environ.get("jobserver.client_address", ""), "client_address", reify=True
    )
    config.add_tween("jobserver.http.tweens.limits", under=INGRESS)
    config.add_tween(
        "jobserver.http.tweens.readable_path", under=INGRESS, over="jobserver.http.tweens.logging"
    )
    config.add_tween("jobserver.http.tweens.logging", under=INGRESS, over="jobserver.http.tweens.limits")
    config.add_tween(
        "jobserver.http.tweens.security_headers", under=INGRESS, over="jobserver.http.tweens.readable_path"
    )
