"""Signing in at the simulated GitHub: the authorisation-code exchange, with PKCE if the caller uses it."""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from urllib.parse import urlencode, urlsplit

from markupsafe import Markup
from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response

from simulator.config import OAuthClient
from simulator.html import joined, page

CODE_LIFETIME = 600
_DOCUMENTATION = (
    "https://docs.github.com/apps/managing-oauth-apps/troubleshooting-oauth-app-access-token-request-errors"
)
_PASSED_ON = ("client_id", "redirect_uri", "state", "scope", "code_challenge", "code_challenge_method")


def authorize(request: Request) -> Response:
    """Asks who is signing in, as buttons; with ``login`` in the query that person has already agreed."""
    client = _client(request, request.GET.get("client_id", ""))
    target = request.GET.get("redirect_uri", "")
    if client is None or urlsplit(target).scheme not in {"http", "https"}:
        return page("Unknown application", Markup("<p>No application has this client id and address."), 404)
    if request.GET.get("error") == "access_denied":
        text = "The user has denied your application access."
        return _return(request, target, {"error": "access_denied", "error_description": text})
    login = request.GET.get("login")
    if login is None:
        return _people(request, client)
    if request.world.config.person(login) is None:
        return page("Unknown person", Markup("<p>Nobody here is called {}.").format(login), 404)
    code = secrets.token_hex(10)
    request.world.store.run(
        "INSERT INTO oauth_codes VALUES (?, ?, ?, ?, ?, ?, ?)",
        code,
        client.id,
        login,
        target,
        request.GET.get("scope", ""),
        request.GET.get("code_challenge", ""),
        request.world.clock.now(),
    )
    return _return(request, target, {"code": code})


def access_token(request: Request) -> Response:
    """Gives an access token for a code, once. As at GitHub, refusals too have status 200."""
    given = _parameters(request)
    client = _client(request, given.get("client_id", ""))
    if client is None or not hmac.compare_digest(client.secret, given.get("client_secret", "")):
        return _answer(
            request,
            _refusal(
                "incorrect_client_credentials", "The client_id and/or client_secret passed are incorrect."
            ),
        )
    store = request.world.store
    with store.transaction():
        row = store.row("SELECT * FROM oauth_codes WHERE code = ?", given.get("code", ""))
        store.run("DELETE FROM oauth_codes WHERE code = ?", given.get("code", ""))
    expired = row is None or request.world.clock.now() - row["at"] > CODE_LIFETIME
    if row is None or expired or row["client_id"] != client.id or not _proves(given, row["challenge"]):
        return _answer(request, _refusal("bad_verification_code", "The code passed is incorrect or expired."))
    if given.get("redirect_uri", row["redirect_uri"]) != row["redirect_uri"]:
        text = "The redirect_uri MUST match the registered callback URL for this application."
        return _answer(request, _refusal("redirect_uri_mismatch", text))
    token = f"gho_{secrets.token_hex(18)}"
    store.run("INSERT INTO oauth_tokens VALUES (?, ?, ?)", token, row["login"], row["scope"])
    return _answer(request, {"access_token": token, "token_type": "bearer", "scope": row["scope"]})


def _client(request: Request, client_id: str) -> OAuthClient | None:
    clients: list[OAuthClient] = request.world.config.simulator.oauth_clients
    return next((client for client in clients if client.id == client_id), None)


def _return(request: Request, target: str, values: dict[str, str]) -> Response:
    if "state" in request.GET:
        values["state"] = request.GET["state"]
    separator = "&" if urlsplit(target).query else "?"
    return Response(status=302, location=f"{target}{separator}{urlencode(values)}")


def _people(request: Request, client: OAuthClient) -> Response:
    kept = [
        Markup('<input type="hidden" name="{}" value="{}">').format(name, request.GET[name])
        for name in _PASSED_ON
        if name in request.GET
    ]
    buttons = [
        Markup('<p><button name="login" value="{0}">{0}</button> {1}').format(
            person.login, person.name or "(no name given)"
        )
        for person in request.world.config.people
    ]
    body = Markup(
        "<p>{} wants to know who you are. Whom do you want to be?"
        '<form method="get">{}{}<p><button name="error" value="access_denied">Cancel</button></form>'
    )
    return page("Sign in to GitHub", body.format(client.name, joined(kept), joined(buttons)))


def _parameters(request: Request) -> dict[str, str]:
    given = {**request.GET, **request.POST}
    if request.content_type == "application/json":
        try:
            body = json.loads(request.body)
        except ValueError:
            body = {}
        given.update({name: str(value) for name, value in body.items()} if isinstance(body, dict) else {})
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            name, _, secret = base64.b64decode(encoded).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return given
        given = {"client_id": name, "client_secret": secret, **given}
    return given


def _proves(given: dict[str, str], challenge: str) -> bool:
    """Whether the verifier belongs to the challenge that the code was asked for with (PKCE, S256)."""
    if not challenge:
        return True
    digest = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
    return hmac.compare_digest(base64.urlsafe_b64encode(digest).rstrip(b"=").decode(), challenge.rstrip("="))


def _refusal(error: str, description: str) -> dict[str, str]:
    return {"error": error, "error_description": description, "error_uri": _DOCUMENTATION}


def _answer(request: Request, values: dict[str, str]) -> Response:
    if "json" in request.headers.get("Accept", ""):
        return Response(json.dumps(values).encode(), content_type="application/json", charset="utf-8")
    return Response(
        urlencode(values).encode(), content_type="application/x-www-form-urlencoded", charset="utf-8"
    )


def includeme(config: Configurator) -> None:
    """Adds both steps."""
    config.add_route("oauth:authorize", "/github/login/oauth/authorize")
    config.add_view(authorize, route_name="oauth:authorize", request_method="GET")
    config.add_route("oauth:access_token", "/github/login/oauth/access_token")
    config.add_view(access_token, route_name="oauth:access_token", request_method="POST")
