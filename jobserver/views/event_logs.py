"""The logs: every job request, newest first, of everybody or below one place (spec: pages 9)."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from pyramid.httpexceptions import HTTPBadRequest, HTTPNotFound
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from jobserver.forms import log_filters as forms
from jobserver.forms.log_filters import LogForm
from jobserver.http.downloads import csv_download
from jobserver.models import utcnow
from jobserver.queries import event_logs as queries
from jobserver.queries import log_exports as exports
from jobserver.queries.backends import in_maintenance
from jobserver.queries.event_logs import Log, RequestRow
from jobserver.queries.log_filters import STATUSES, Filters, look_up
from jobserver.queries.path import as_id
from jobserver.resources import OrgResource, ProjectResource, Root, UserResource, WorkspaceResource
from jobserver.resources.links import page_url
from jobserver.security.permissions import Permission
from jobserver.templating.pager import asked_page
from jobserver.templating.states import STATES
from jobserver.templating.times import clock
from jobserver.views.conditional import interval, not_modified
from jobserver.views.log_places import Place, place_of
from jobserver.views.pages import pager_of_narrowed
from jobserver.views.tabs import tabs

LOGS = (
    (Root, "event-log"),
    (OrgResource, "logs"),
    (ProjectResource, "logs"),
    (WorkspaceResource, "logs"),
    (UserResource, "logs"),
)
MORE_FIELDS = ("user", "action", "project", "workspace", "identifier", "from", "to")


def of_every_log(**options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make a function the view of every log."""

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        for context, name in LOGS:
            view_config(
                context=context, name=name, permission=Permission.VIEW, request_method="GET", **options
            )(view)
        return view

    return decorate


@of_every_log(renderer="jobserver:templates/event_log/page.jinja2")
def log_page(context: Any, request: Request) -> dict[str, Any]:
    """One page of a log."""
    place = place_of(context, request)
    form, log = _narrowed(request, place, queries.backends(request.db, place.log))
    found = _found(request, log, form)
    pager = pager_of_narrowed(request, form, found.total, queries.PAGE)
    now = utcnow()
    rows = queries.rows_of(request.db, found.ids)
    return {
        **_region(request, rows, place, form, now, pager.page, newer=0),
        "form": form,
        "states": [(status, STATES[status].word, status) for status in STATUSES],
        "more": [name for name in MORE_FIELDS if name in form.fields],
        "pager": pager,
        "total": found.total,
        "of": found.of,
        "place": place,
        "tabs": tabs(request, context) if place.scope in {"project", "workspace"} else [],
        "log_url": request.path,
        "csv_url": _query([*form.kept, ("format", "csv")]),
        "most": exports.MOST,
        "maintenance": in_maintenance(request.db) if place.workspace and request.identity else [],
        "breadcrumbs": place.breadcrumbs,
    }


@of_every_log(request_param="live", renderer="jobserver:templates/event_log/rows.jinja2")
def log_rows(context: Any, request: Request) -> dict[str, Any] | Response:
    """The rows of the first page as they are now, and how many requests came since; a 304 if nothing did.

    ``live`` is the number of the newest request shown: the list does not grow under its reader.
    """
    newest = as_id(request.GET["live"])
    if newest is None:
        raise HTTPNotFound
    place = place_of(context, request)
    # Any will do: they were offered with the page.
    form, log = _narrowed(request, place, {slug: slug for slug in request.GET.getall("backend")})
    if form.faults:
        raise HTTPNotFound
    since = queries.since(request.db, log, newest)
    now = utcnow()
    unchanged = not_modified(request, since, clock(now))
    if unchanged:
        return unchanged
    rows = queries.rows_of(request.db, [job_request_id for job_request_id, _ in since.versions])
    return _region(request, rows, place, form, now, 1, newer=since.newer)


@of_every_log(request_param="format=csv")
def log_csv(context: Any, request: Request) -> Response:
    """All that the filters let through as a file, however many pages it is; 400 for a faulty filter."""
    place = place_of(context, request)
    form, log = _narrowed(request, place, queries.backends(request.db, place.log))
    for name, fault in form.faults.items():
        raise HTTPBadRequest(f"{form.fields[name].label}: {fault}")
    return csv_download("job-requests.csv", exports.HEADER, exports.rows(request.db, log))


def _narrowed(request: Request, place: Place, backends: Mapping[str, str]) -> tuple[LogForm, Log]:
    """The filled form, and the log as it says."""
    form = forms.read(request.GET.items(), backends, place.left_out)
    form = form.understood(look_up(request.db, form.filters))
    return form, replace(place.log, filters=form.filters, meant=form.meant)


def _found(request: Request, log: Log, form: LogForm) -> queries.Page:
    if form.faults:
        return queries.Page([], 0, queries.count(request.db, replace(log, filters=Filters())))
    return queries.find(request.db, log, asked_page(request.GET.get("page")))


def _region(
    request: Request,
    rows: list[RequestRow],
    place: Place,
    form: LogForm,
    now: Any,
    number: int,
    *,
    newer: int,
) -> dict[str, Any]:
    """What refreshes itself: the table, on the first page while one of its requests is under way."""
    moving = [row.created_at for row in rows if row.is_followed] if number == 1 else []
    newest = request.GET.get("live") or (rows[0].id if rows else "")
    return {
        "rows": rows,
        "newer": newer,
        "scope": place.scope,
        "now": now,
        "seconds": interval(max(moving, default=None), now),
        "live_url": _query([*form.kept, ("live", str(newest))]),
        "reload_url": request.path + _query(form.kept),
        "url": lambda *names: page_url(request, *names),
    }


def _query(pairs: Any) -> str:
    return f"?{urlencode(pairs)}"
