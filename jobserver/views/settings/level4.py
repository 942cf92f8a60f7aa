"""The token with which one signs in to Level 4: made here, shown once (spec: airlock 3.1, access 4.6)."""

from typing import Any

from pyramid.httpexceptions import HTTPBadRequest
from pyramid.request import Request
from pyramid.view import view_config

from jobserver.actions import level4 as actions
from jobserver.actions.level4 import NewToken, NotEligible
from jobserver.models import utcnow
from jobserver.queries import level4 as queries
from jobserver.queries import settings as mine
from jobserver.resources import SettingsResource
from jobserver.security.permissions import Permission
from jobserver.views.settings.frame import frame

TAB = "level-4"
TEMPLATE = "jobserver:templates/settings/level4.jinja2"


@view_config(
    context=SettingsResource,
    name=TAB,
    permission=Permission.ACCOUNT,
    request_method=("GET", "POST"),
    renderer=TEMPLATE,
    http_cache=0,
)
def level4(context: SettingsResource, request: Request) -> dict[str, Any]:
    """What there is to know about the present token; in answer to the form, the new one, this once."""
    made = _make(request) if request.method == "POST" else None
    me = request.identity
    stored = queries.stored_token(request.db, me.user_id)
    ends = stored.expires_at
    return {
        **frame(context, request, TAB),
        "made": made,
        "may_have_token": actions.may_have_token(me),
        "backends": mine.backends(request.db, me.user_id),
        "ends": ends,
        "began": ends - actions.LIFETIME if ends else None,
        "is_void": ends is None and stored.failures >= actions.MOST_FAILURES,
        "tries": actions.MOST_FAILURES,
        "now": utcnow(),
    }


def _make(request: Request) -> NewToken | None:
    if "token" not in request.POST:
        raise HTTPBadRequest("The form field token is missing.")
    key = request.registry["settings"].secret_key
    try:
        return actions.create_token(request.db, request.identity, key)
    except NotEligible as fault:
        request.flash("danger", str(fault))
        return None
