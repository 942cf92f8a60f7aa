"""How a caller of the JSON API proves who is calling, and who that makes the request's caller.

Credentials are looked at before the thing in the address, so that strangers cannot find out what there is
(spec: airlock 12.8).
"""

from collections.abc import Collection
from enum import Enum

import structlog
from pyramid.csrf import check_csrf_origin, check_csrf_token
from pyramid.request import Request
from sqlalchemy.exc import SQLAlchemyError

from jobserver.actions import backends, personal_tokens
from jobserver.db import SAFE_METHODS, transaction_of
from jobserver.models import TokenScope
from jobserver.security import callers
from jobserver.security.callers import BackendCaller, CallerRefused, TokenCaller

log = structlog.get_logger(__name__)

CSRF_FAILED = "CSRF Failed: the header X-CSRFToken is missing or wrong."


class Proof(Enum):
    """What an address takes as proof (spec: airlock 1.2)."""

    NOTHING = "nothing"
    BACKEND = "a backend's token"
    THROUGH_BACKEND = "a backend's token, and OS-User"
    SESSION = "a session"
    READER = "a personal token, or a session"
    BACKEND_OR_READER = "a backend's token, a personal token, or a session"


def prove(request: Request, proof: Proof, scopes: Collection[TokenScope] = ()) -> None:
    """Make whoever proves to be calling the request's caller. Raises :class:`CallerRefused`.

    Without a session, an address that takes one can only be read from, and its permission decides.
    ``scopes``: those of personal tokens that the address takes.
    """
    authorization = request.headers.get("Authorization")
    match proof:
        case Proof.NOTHING:
            pass
        case Proof.BACKEND:
            _call_by_backend(request, authorization)
        case Proof.THROUGH_BACKEND:
            username = request.headers.get("OS-User")
            caller = callers.through_backend(request.db, authorization, username)
            request.call_as(caller)
            _note_use(request, caller.backend)
        case Proof.READER if authorization:
            _call_by_token(request, authorization, scopes)
        case Proof.BACKEND_OR_READER if authorization and ":" in authorization:
            _call_by_token(request, authorization, scopes)
        case Proof.BACKEND_OR_READER if authorization:
            _call_by_backend(request, authorization)
        case Proof.SESSION | Proof.READER | Proof.BACKEND_OR_READER:
            request.call_as(request.identity)
            _refuse_forgery(request)
    if proof is Proof.READER and request.caller is None:
        raise CallerRefused("Invalid user or token")
    changes = proof is Proof.SESSION and request.method not in SAFE_METHODS
    if (changes or proof is Proof.BACKEND_OR_READER) and request.caller is None:
        raise CallerRefused(callers.NOT_PROVIDED)


def _call_by_token(request: Request, authorization: str, scopes: Collection[TokenScope]) -> None:
    caller = callers.by_personal_token(request.db, authorization, scopes)
    request.call_as(caller)
    _note_use(request, caller)


def _call_by_backend(request: Request, authorization: str | None) -> None:
    caller = callers.backend(request.db, authorization)
    request.call_as(caller)
    _note_use(request, caller)


def _note_use(request: Request, caller: TokenCaller | BackendCaller) -> None:
    if caller.use_is_news:
        request.add_finished_callback(lambda request: _keep_use(request, caller))


def _keep_use(request: Request, caller: TokenCaller | BackendCaller) -> None:
    """Keep that a token was used, in a transaction of its own: that of the answer may only read."""
    try:
        with transaction_of(request.registry["session_factory"], source="api") as db:
            if isinstance(caller, BackendCaller):
                backends.mark_used(db, caller.digest)
            else:
                personal_tokens.mark_used(db, caller.token_id)
    except SQLAlchemyError:
        of = caller.slug if isinstance(caller, BackendCaller) else caller.token_id
        log.warning("use_of_token_not_kept", token=of, exc_info=True)


def _refuse_forgery(request: Request) -> None:
    """A page of another site must not use the session. Who is not signed in has nothing to be stolen."""
    if request.identity is None or request.method in SAFE_METHODS:
        return
    genuine = check_csrf_origin(request, raises=False, allow_no_origin=True) and check_csrf_token(
        request, token=None, header="X-CSRFToken", raises=False
    )
    if not genuine:
        raise CallerRefused(CSRF_FAILED)
