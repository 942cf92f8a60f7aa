"""Addresses of what is no longer here (spec: pages 4)."""

from pyramid.httpexceptions import HTTPMovedPermanently
from pyramid.request import Request
from pyramid.view import view_config

from jobserver.resources import Root
from jobserver.security.permissions import Permission

WHERE_TO_APPLY = "https://www.opensafely.org/opensafely-is-open-for-submissions/"


@view_config(
    context=Root,
    name="apply",
    permission=Permission.VIEW,
    request_method="GET",
    subpath_allowed=True,
    no_slash=True,
)
def apply(context: Root, request: Request) -> HTTPMovedPermanently:
    """Whoever wants to apply finds another site; what followed in the address means nothing there."""
    return HTTPMovedPermanently(WHERE_TO_APPLY)
