"""Logos of organisations, for everybody."""

from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from jobserver.clients.storage import FileMissing
from jobserver.queries.orgs import shows_logo
from jobserver.resources.uploads import LogoFile
from jobserver.security.permissions import Permission

# A picture acts for nobody, even if somebody opens it by itself.
POLICY = "sandbox; default-src 'none'; frame-ancestors 'none'"
YEAR = 31_536_000


@view_config(context=LogoFile, request_method="GET", permission=Permission.VIEW, no_slash=True)
def logo(context: LogoFile, request: Request) -> Response:
    """The picture, while an organisation shows it; its name is made of its content, so it never changes."""
    if not shows_logo(request.db, context.path):
        raise HTTPNotFound
    try:
        with request.clients.media.open(context.path) as file:
            content = file.read()
    except FileMissing as error:
        raise HTTPNotFound from error
    answer = Response(body=content, content_type=context.content_type, charset=None)
    answer.headers["Content-Security-Policy"] = POLICY
    answer.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
    return answer
