"""Callers of the JSON API: a backend, a person through a backend, a person by a personal token.

Which of them an address takes is decided by its resource (:mod:`jobserver.resources.api`); nothing else that
a request carries counts there. Spec: access 4.4 to 4.8, 8.3; airlock 1.2, 1.3.
"""

import hmac
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pyramid.authorization import Everyone
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from jobserver.models import Backend, PersonalToken, TokenScope, User, utcnow
from jobserver.security import sessions, tokens
from jobserver.security.identity import Identity, standing

NOT_PROVIDED = "Authentication credentials were not provided."
NOT_PERMITTED = "You do not have permission to perform this action."
LONGEST_TOKEN = 400
# How far behind the time may be at which a token is said to have been used last: a person's, a backend's.
USED_HOURLY = timedelta(hours=1)
BACKEND_USED_EVERY = timedelta(minutes=5)


class CallerRefused(Exception):
    """The request proves nobody; ``detail`` is for the program that sent it."""

    def __init__(self, detail: str) -> None:
        self.detail = detail
        super().__init__(detail)


@dataclass(frozen=True)
class BackendCaller:
    """A backend that has shown its token.

    ``use_is_news``: that it was used has not been kept for five minutes; ``digest`` is the token's.
    """

    id: int
    slug: str
    name: str
    digest: str = field(default="", repr=False)
    use_is_news: bool = False

    @property
    def principals(self) -> set[str]:
        """What it stands for in access lists."""
        return {Everyone, "backend", f"backend:{self.slug}"}


@dataclass(frozen=True)
class ThroughBackend:
    """A person for whom a backend acts, which they have access to."""

    backend: BackendCaller
    person: Identity

    @property
    def principals(self) -> set[str]:
        """What they stand for in access lists: never more than a backend may do for them."""
        return self.backend.principals | {f"via-backend:{each}" for each in standing(self.person)}


@dataclass(frozen=True)
class TokenCaller:
    """A person, or a bot, who has shown a personal token.

    ``use_is_news``: that it was used has not been kept for an hour.
    """

    person: Identity
    token_id: int
    use_is_news: bool

    @property
    def principals(self) -> set[str]:
        """What they stand for in access lists: only what a token may read for them."""
        return {Everyone, "pat"} | {f"pat:{each}" for each in standing(self.person)}


ProgramCaller = BackendCaller | ThroughBackend | TokenCaller


def backend(db: Session, authorization: str | None) -> BackendCaller:
    """The backend with this token, bare as it stands in ``Authorization``. Raises :class:`CallerRefused`."""
    if authorization is None:
        raise CallerRefused("Authorization header is missing")
    if not authorization:
        raise CallerRefused("Authorization header is empty")
    if len(authorization) > LONGEST_TOKEN:
        raise CallerRefused("Invalid token")
    digest = tokens.digest(authorization)
    row = db.execute(
        select(
            Backend.id,
            Backend.slug,
            Backend.name,
            Backend.token_digest,
            Backend.previous_token_digest,
            Backend.token_used_at,
            Backend.previous_token_used_at,
        )
        .where(
            Backend.is_active,
            or_(
                Backend.token_digest == digest,
                (Backend.previous_token_digest == digest) & (Backend.previous_token_expires_at > utcnow()),
            ),
        )
        .limit(1)
    ).one_or_none()
    found = row and any(
        hmac.compare_digest(digest, each or "") for each in (row.token_digest, row.previous_token_digest)
    )
    if row is None or not found:
        raise CallerRefused("Invalid token")
    used = row.token_used_at if row.token_digest == digest else row.previous_token_used_at
    return BackendCaller(row.id, row.slug, row.name, digest, _is_old(used, BACKEND_USED_EVERY))


def through_backend(db: Session, authorization: str | None, username: str | None) -> ThroughBackend:
    """The person that a backend names in ``OS-User``, who must have access to it (spec: access 4.5)."""
    caller = backend(db, authorization)
    person = sessions.person_named(db, (username or "").strip())
    if person is None or all(each.id != caller.id for each in person.backends):
        raise CallerRefused(NOT_PROVIDED)
    return ThroughBackend(caller, person)


def by_personal_token(db: Session, authorization: str, scopes: Collection[TokenScope]) -> TokenCaller:
    """The person whose personal token stands in ``Authorization`` as ``username:token`` (spec: access 4.8).

    The token needs one of ``scopes``, which the address takes. An unknown name and a wrong, old or revoked
    token are refused alike.
    """
    username, _, token = authorization.partition(":")
    row = None
    digest = tokens.digest(token)
    if token and len(authorization) <= LONGEST_TOKEN:
        row = db.execute(
            select(
                PersonalToken.id,
                PersonalToken.user_id,
                PersonalToken.digest,
                PersonalToken.scopes,
                PersonalToken.last_used_at,
            )
            .join(User, User.id == PersonalToken.user_id)
            .where(
                PersonalToken.digest == digest,
                PersonalToken.revoked_at.is_(None),
                PersonalToken.expires_at > utcnow(),
                sessions.has_name(username.replace("\0", "")),
                User.disabled_at.is_(None),
            )
        ).one_or_none()
    right = hmac.compare_digest(digest, row.digest if row else "")
    if row is None or not right:
        raise CallerRefused(NOT_PERMITTED)
    if not set(row.scopes) & set(scopes):
        needed = " or ".join(sorted(scopes))
        raise CallerRefused(f"This token does not have the scope {needed}.")
    is_news = _is_old(row.last_used_at, USED_HOURLY)
    return TokenCaller(sessions.identity_of(db, row.user_id), row.id, is_news)


def _is_old(used: datetime | None, most: timedelta) -> bool:
    return used is None or used < utcnow() - most
