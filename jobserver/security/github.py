"""Signing in with GitHub: who is it that GitHub vouches for (spec: access 4.1 and 8.1).

The authorisation-code exchange with PKCE. GitHub's access token lives for two questions only: it is
neither kept nor logged.
"""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session

from jobserver.clients.transport import Limits, fits_header, limited_session, short_reason, storable
from jobserver.settings import Settings

LIMITS = Limits(connect=5, read=10)
SCOPE = "user:email"
_JSON = {"Accept": "application/vnd.github+json", "User-Agent": "OpenSAFELY Jobs"}
_CODE_REFUSED = frozenset({"bad_verification_code", "invalid_grant"})
_ERROR_CODE = re.compile(r"[a-z_]{1,40}")


class GithubUnavailable(Exception):
    """GitHub did not answer, or not with what it should have; ``reason`` is for operators."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class CodeRefused(Exception):
    """GitHub does not accept the code: it is wrong, too old, used, or belongs to another sign-in."""


@dataclass(frozen=True)
class GithubPerson:
    """Whom GitHub vouches for. ``name`` is empty if they gave none; the e-mail is verified and primary."""

    uid: str
    login: str
    name: str
    verified_email: str | None


@dataclass(frozen=True)
class Departure:
    """What a browser takes to GitHub (``url``), and what has to be kept to know it again."""

    url: str = field(repr=False)
    state: str = field(repr=False)
    verifier: str = field(repr=False)


@dataclass(frozen=True)
class GithubSignIn:
    """One GitHub as a place to sign in, and this site as its client."""

    url: str
    api_url: str
    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str
    limits: Limits = LIMITS

    @classmethod
    def from_settings(cls, settings: Settings, redirect_path: str) -> Self:
        """The GitHub that the settings name; people come back to this path."""
        return cls(
            url=settings.github_url.rstrip("/"),
            api_url=settings.github_api_url.rstrip("/"),
            client_id=settings.social_auth_github_key,
            client_secret=settings.social_auth_github_secret,
            redirect_uri=settings.base_url.rstrip("/") + redirect_path,
        )

    def depart(self) -> Departure:
        """A new sign-in."""
        verifier = secrets.token_urlsafe(48)
        with self._session() as oauth:
            url, state = oauth.create_authorization_url(
                f"{self.url}/login/oauth/authorize",
                state=secrets.token_urlsafe(32),
                code_verifier=verifier,
            )
        return Departure(url, state, verifier)

    def person(self, code: str, verifier: str) -> GithubPerson:
        """Who came back with this code. Raises :class:`CodeRefused` or :class:`GithubUnavailable`.

        Takes up to three exchanges of :attr:`limits` each: no transaction should be open meanwhile.
        """
        with self._session() as oauth, _translated():
            token = oauth.fetch_token(
                f"{self.url}/login/oauth/access_token",
                grant_type="authorization_code",
                code=code,
                code_verifier=verifier,
                allow_redirects=False,
            )
            if not fits_header(_text(token["access_token"])):
                raise GithubUnavailable("the access token cannot be sent in a header")
            user = self._ask(oauth, "/user")
            return GithubPerson(
                uid=str(_number(user["id"])),
                login=_text(user["login"]),
                name=_text(user.get("name") or ""),
                verified_email=_verified_primary(self._ask(oauth, "/user/emails?per_page=100")),
            )

    def _session(self) -> Any:
        oauth = OAuth2Session(
            client_id=self.client_id,
            client_secret=self.client_secret,
            token_endpoint_auth_method="client_secret_post",  # noqa: S106 (a method's name)
            code_challenge_method="S256",
            redirect_uri=self.redirect_uri,
            scope=SCOPE,
        )
        adapter = limited_session(self.limits).get_adapter(self.url)
        oauth.mount("https://", adapter)
        oauth.mount("http://", adapter)
        return oauth

    def _ask(self, oauth: Any, path: str) -> Any:
        answer = oauth.get(self.api_url + path, headers=_JSON, allow_redirects=False)
        if answer.status_code != 200:
            raise GithubUnavailable(f"{path.partition('?')[0]} answered with status {answer.status_code}")
        return storable(answer.json())


@contextmanager
def _translated() -> Iterator[None]:
    """Every way in which an exchange can fail, as one of ours; GitHub's own words go no further."""
    try:
        yield
    except AuthlibBaseError as error:
        code = str(error.error)
        if code in _CODE_REFUSED:
            raise CodeRefused from None
        known = code if _ERROR_CODE.fullmatch(code) else "an unknown error"
        raise GithubUnavailable(f"the code was not exchanged: {known}") from None
    except requests.HTTPError as error:
        raise GithubUnavailable(f"the code's exchange had status {error.response.status_code}") from None
    except requests.JSONDecodeError:
        raise GithubUnavailable("the answer is not JSON") from None
    except requests.RequestException as error:
        raise GithubUnavailable(short_reason(error)) from None
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError):
        # What the library and we stumble over when the JSON has another shape.
        raise GithubUnavailable("the answer has an odd shape") from None


def _number(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        raise ValueError("not an id")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not text")
    return value


def _verified_primary(entries: Any) -> str | None:
    """The one address that GitHub has verified and the person put first."""
    if not isinstance(entries, list):
        raise TypeError("not a list of addresses")
    found = [each["email"] for each in entries if each["primary"] is True and each["verified"] is True]
    return _text(found[0]) if found else None
