"""Every mail with invented data, to be looked at in development (spec: pages 25)."""

from typing import Any

from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from jobserver.clients.mail import Message
from jobserver.resources import Root
from jobserver.resources.links import page_url
from jobserver.security.permissions import Permission
from jobserver.tasks.mail_samples import SAMPLES

LIST = "^/ui-components/mails/?$"
ONE = "^/ui-components/mails/[^/]+/?$"
# The HTML part is shown as a mail program would: its own styles, and nothing that runs or is fetched.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox"
)


@view_config(
    context=Root,
    name="ui-components",
    path_info=LIST,
    subpath_allowed=True,
    permission=Permission.VIEW,
    request_method="GET",
    renderer="jobserver:templates/mail_previews/list.jinja2",
)
def mails(context: Root, request: Request) -> dict[str, Any]:
    """The list."""
    _only_in_development(request)
    base_url = request.registry["settings"].base_url
    return {
        "samples": [(name, sample.when, sample.make(base_url).subject) for name, sample in SAMPLES.items()],
        "url": lambda *names: page_url(request, "ui-components", "mails", *names),
        "breadcrumbs": [("Components", page_url(request, "ui-components")), ("Emails", None)],
    }


@view_config(
    context=Root,
    name="ui-components",
    path_info=ONE,
    subpath_allowed=True,
    permission=Permission.VIEW,
    request_method="GET",
    renderer="jobserver:templates/mail_previews/one.jinja2",
)
def mail(context: Root, request: Request) -> Response | dict[str, Any]:
    """One mail, both parts beside each other; with ``part`` that part alone."""
    _only_in_development(request)
    name = request.subpath[1]
    if name not in SAMPLES:
        raise HTTPNotFound
    message = SAMPLES[name].make(request.registry["settings"].base_url)
    if "part" in request.GET:
        return _part(message, request.GET["part"])
    address = page_url(request, "ui-components", "mails", name)
    return {
        "name": name,
        "when": SAMPLES[name].when,
        "message": message,
        "html_url": f"{address}?part=html",
        "text_url": f"{address}?part=text",
        "breadcrumbs": [
            ("Components", page_url(request, "ui-components")),
            ("Emails", page_url(request, "ui-components", "mails")),
            (name, None, "mono"),
        ],
    }


def _part(message: Message, part: str) -> Response:
    parts = {"html": ("text/html", message.html), "text": ("text/plain", message.text)}
    if part not in parts:
        raise HTTPNotFound
    content_type, body = parts[part]
    response = Response(body, content_type=content_type, charset="utf-8")
    response.headers["Content-Security-Policy"] = POLICY
    return response


def _only_in_development(request: Request) -> None:
    if not request.registry["settings"].debug:
        raise HTTPNotFound
