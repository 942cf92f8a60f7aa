"""Signing in to Level 4, and what somebody may see there (spec: airlock 3)."""

from pyramid.request import Request
from pyramid.response import Response

from jobserver.actions import level4 as actions
from jobserver.forms.api.level4 import Authentication, Authorisation
from jobserver.queries import level4 as queries
from jobserver.resources.api import Level4Authentication, Level4Authorisation, nothing_matches
from jobserver.security.permissions import Permission
from jobserver.views.api.exchange import Refused, answer, endpoint, read

# One for all, so that nobody learns who is known here.
REFUSED = "The user or the token is wrong, or the token can no longer be used."


@endpoint(Level4Authentication, "POST", Permission.LEVEL4_LOGIN)
def authenticate(context: Level4Authentication, request: Request) -> Response:
    """Use up somebody's token and say what they may see."""
    body = read(request, Authentication)
    settings = request.registry["settings"]
    keys = (settings.secret_key, *settings.old_secret_keys)
    user = actions.authenticate(request.db, request.caller, body.user, body.token, keys)
    if user is None:
        # Answered, not raised: that the try failed is kept.
        return answer({"detail": REFUSED}, 403)
    return answer(queries.permissions(request.db, user))


@endpoint(Level4Authorisation, "POST", Permission.LEVEL4_LOGIN)
def authorise(context: Level4Authorisation, request: Request) -> Response:
    """What somebody may see; nothing is changed."""
    body = read(request, Authorisation)
    person = queries.person_named(request.db, body.user, request.caller.id)
    if person is None:
        nothing_matches("User")
    if person.obstacle:
        raise Refused(403, f"The user {person.user.username} cannot use Level 4: {person.obstacle}.")
    return answer(queries.permissions(request.db, person.user))
