"""Tokens with which one's programs read the JSON API: made here, shown once, revoked (spec: access 8.3)."""

from datetime import UTC, timedelta
from typing import Any

from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from jobserver.actions import personal_tokens as actions
from jobserver.actions.naming import Refused
from jobserver.forms.tokens import SCOPES, USUAL_DAYS, TokenForm
from jobserver.models import TokenScope, utcnow
from jobserver.queries import settings as queries
from jobserver.queries.path import as_id
from jobserver.resources import SettingsResource
from jobserver.security.permissions import Permission
from jobserver.views.fields import texts
from jobserver.views.settings.frame import back, frame

TAB = "tokens"


@view_config(
    context=SettingsResource,
    name=TAB,
    permission=Permission.ACCOUNT,
    request_method=("GET", "POST"),
    repeatable=("scopes",),
    renderer="jobserver:templates/settings/tokens.jinja2",
    http_cache=0,
)
def tokens(context: SettingsResource, request: Request) -> dict[str, Any]:
    """One's tokens, and the form for another; in answer to it the new one, this once."""
    sent = texts(request.POST) if request.method == "POST" else None
    form = TokenForm(sent, days=USUAL_DAYS)
    made = None
    if sent is not None and form.validate():
        made = _make(request, form)
    if made is not None:
        # The next token is another one.
        form = TokenForm(days=USUAL_DAYS)
    me, now = request.identity, utcnow()
    found = queries.personal_tokens(request.db, me.user_id, now)
    works = [each for each in found if each.revoked_at is None and each.expires_at > now]
    return {
        **frame(context, request, TAB),
        "form": form,
        "made": made,
        "working": works,
        "ended": [each for each in found if each not in works],
        "scope_names": {scope.value: name for scope, (name, _) in SCOPES.items()},
        "scope_hints": {scope.value: words for scope, (_, words) in SCOPES.items()},
        "ends_soon": lambda token: token.expires_at - now <= actions.ENDS_SOON,
        "last_day": lambda token: token.expires_at - timedelta(seconds=1),
        "now": now,
    }


def _make(request: Request, form: TokenForm) -> str | None:
    """The new token as programs send it; None if the form now says why there is none."""
    me = queries.account(request.db, request.identity.user_id)
    last_day = (utcnow().astimezone(UTC) + timedelta(days=form.days.data or 0)).date()
    scopes = [TokenScope(each) for each in form.scopes.data or ()]
    try:
        _, secret = actions.create(
            request.db, me, by=request.identity, name=form.name.data or "", scopes=scopes, last_day=last_day
        )
    except Refused as fault:
        form.name.errors = [str(fault)]
        return None
    return f"{me.username}:{secret}"


@view_config(
    context=SettingsResource,
    name="revoke-token",
    permission=Permission.ACCOUNT,
    request_method="POST",
    http_cache=0,
)
def revoke(context: SettingsResource, request: Request) -> Response:
    """End one of the tokens at once; 404 if it is not one's own."""
    db, me = request.db, request.identity
    token_id = as_id(request.POST.get("token", ""))
    token = queries.personal_token(db, me.user_id, token_id) if token_id else None
    if token is None:
        raise HTTPNotFound
    if actions.revoke(db, token, queries.account(db, me.user_id), by=me):
        request.flash("success", f"The token “{token.name}” no longer works.")
    else:
        request.flash("info", f"The token “{token.name}” had been revoked already.")
    return back(context, request, TAB)
