"""Whether errors reach the error tracker, tried out: ``/staff/sentry/`` (spec: staff 11, 17.50)."""

from typing import Any, NoReturn

from pyramid.httpexceptions import HTTPNotFound, HTTPSeeOther
from pyramid.request import Request
from pyramid.view import view_config

from jobserver.resources.links import page_url
from jobserver.resources.staff import StaffSentry
from jobserver.security.permissions import Permission

MESSAGE = "testing"


class AskedForError(Exception):
    """Nothing is wrong: somebody wanted to see whether errors are reported."""


@view_config(
    context=StaffSentry,
    permission=Permission.STAFF_AREA_VIEW,
    request_method="GET",
    renderer="jobserver:templates/staff/sentry.jinja2",
)
def sentry(context: StaffSentry, request: Request) -> dict[str, Any]:
    """The two things that can be tried, and where to look for them."""
    return {
        "is_on": _is_on(request),
        "url": lambda *names: page_url(request, *names),
        "breadcrumbs": [("Staff area", page_url(request, "staff")), ("Error reports", None)],
    }


@view_config(
    context=StaffSentry,
    name="error",
    permission=Permission.STAFF_AREA_ACCESS,
    request_method="POST",
    no_slash=True,
)
def error(context: StaffSentry, request: Request) -> NoReturn:
    """Fail as a page would that has a fault."""
    _only_without_slash(request)
    raise AskedForError("somebody wanted to see whether errors are reported")


@view_config(
    context=StaffSentry,
    name="message",
    permission=Permission.STAFF_AREA_ACCESS,
    request_method="POST",
    no_slash=True,
)
def message(context: StaffSentry, request: Request) -> HTTPSeeOther:
    """Send a message."""
    _only_without_slash(request)
    address = request.registry["settings"].sentry_url
    if _is_on(request):
        # Not loaded where errors are not reported.
        import sentry_sdk

        sentry_sdk.capture_message(MESSAGE)
        request.flash(
            "success", f"The message “{MESSAGE}” was sent.", address, "See it in Sentry" if address else ""
        )
    else:
        request.flash("warning", "Nothing was sent: error reports are off, because SENTRY_DSN is not set.")
    return HTTPSeeOther(page_url(request, "staff", "sentry"))


def _is_on(request: Request) -> bool:
    return bool(request.registry["settings"].sentry_dsn)


def _only_without_slash(request: Request) -> None:
    if request.path_info.endswith("/"):
        raise HTTPNotFound
