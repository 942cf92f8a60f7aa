"""Backends in the staff area: listed, made, looked at, edited, given a new token (spec: staff 4).

A token is shown once, in the answer to the form that made it; nothing keeps that answer.
"""

from datetime import timedelta
from typing import Any

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from jobserver.actions import backends as actions
from jobserver.actions.naming import Malformed, Taken
from jobserver.actions.versions import ChangedMeanwhile
from jobserver.forms.staff.backends import EditBackendForm, NewBackendForm, RotateForm
from jobserver.models import AuditType, Backend, utcnow
from jobserver.queries.backends import BackendRow
from jobserver.queries.changes import last_change
from jobserver.queries.staff import backends as queries
from jobserver.resources.links import page_url
from jobserver.resources.staff import StaffBackend, StaffBackends
from jobserver.security.permissions import Permission
from jobserver.views.fields import texts
from jobserver.views.staff.editing import overtaken, say_saved
from jobserver.views.staff.listing import TEMPLATE, listed

MINUTE = timedelta(minutes=1)
FOLDER = "jobserver:templates/staff/backends"


@view_config(
    context=StaffBackends, permission=Permission.STAFF_AREA_VIEW, request_method="GET", renderer=TEMPLATE
)
def backends(context: StaffBackends, request: Request) -> dict[str, Any] | Response:
    """All backends, in use or not."""
    return listed(request, queries.BACKENDS, part="backends", heading="Backends")


@view_config(
    context=StaffBackends,
    name="add",
    permission=Permission.BACKEND_MANAGE,
    request_method=("GET", "POST"),
    renderer=f"{FOLDER}/add.jinja2",
    http_cache=0,
)
def add(context: StaffBackends, request: Request) -> dict[str, Any]:
    """The form; in answer to it the new backend's token, this once."""
    form = NewBackendForm(texts(request.POST) if request.method == "POST" else None)
    if request.method == "POST" and form.validate():
        try:
            backend, token = actions.create(
                request.db,
                by=request.identity,
                slug=form.slug.data or "",
                name=form.name.data,
                is_active=form.is_active.data,
                reason=form.reason.data,
            )
        except (Malformed, Taken) as fault:
            form[fault.field].errors = [str(fault)]
        else:
            return _token_page(request, backend, token, "made", None)
    return {**frame(request, None, "Add a backend"), "form": form}


@view_config(
    context=StaffBackend,
    permission=Permission.STAFF_AREA_VIEW,
    request_method="GET",
    renderer=f"{FOLDER}/detail.jinja2",
)
def detail(context: StaffBackend, request: Request) -> dict[str, Any]:
    """What is known of a backend, and what can be done about it. Never its token."""
    backend = context.thing
    facts = queries.facts(request.db, backend)
    now = utcnow()
    overlaps = backend.previous_token_expires_at is not None and backend.previous_token_expires_at > now
    return {
        **frame(request, backend),
        "backend": backend,
        "facts": facts,
        "state": BackendRow(backend, facts.running, facts.pending).shown(now),
        "reported": sorted((backend.rap_api_state or {}).items()),
        "previous_until": backend.previous_token_expires_at if overlaps else None,
        "now": now,
    }


@view_config(
    context=StaffBackend,
    name="edit",
    permission=Permission.BACKEND_MANAGE,
    request_method=("GET", "POST"),
    renderer=f"{FOLDER}/edit.jinja2",
)
def edit(context: StaffBackend, request: Request) -> dict[str, Any] | HTTPSeeOther:
    """Name, whether it is in use, and the alert timeout."""
    backend = context.thing
    form = EditBackendForm(texts(request.POST)) if request.method == "POST" else _stored(backend)
    conflict = None
    if request.method == "POST" and form.validate():
        try:
            return _save(request, backend, form)
        except ChangedMeanwhile:
            change = last_change(request.db, backend, AuditType.BACKEND_UPDATED)
            conflict = overtaken(form, _stored(backend), change)
        except Malformed as fault:
            form.name.errors = [str(fault)]
    return {**frame(request, backend, "Edit"), "backend": backend, "form": form, "conflict": conflict}


def _save(request: Request, backend: Backend, form: EditBackendForm) -> HTTPSeeOther:
    changed = actions.edit(
        request.db,
        backend,
        by=request.identity,
        seen=form.version.data or "",
        name=form.name.data,
        is_active=form.is_active.data,
        alert_timeout=(form.alert_timeout.data or 0) * MINUTE,
        reason=form.reason.data,
    )
    say_saved(request, changed, backend.name)
    return to_backend(request, backend)


def _stored(backend: Backend) -> EditBackendForm:
    return EditBackendForm(
        name=backend.name,
        is_active=backend.is_active,
        alert_timeout=max(1, backend.alert_timeout // MINUTE),
        version=actions.edit_version(backend),
    )


@view_config(
    context=StaffBackend,
    name="rotate-token",
    permission=Permission.BACKEND_MANAGE,
    request_method=("GET", "POST"),
    renderer=f"{FOLDER}/rotate.jinja2",
    http_cache=0,
)
def rotate(context: StaffBackend, request: Request) -> dict[str, Any]:
    """What a new token means; in answer to the form the token, this once."""
    backend = context.thing
    sent = texts(request.POST) if request.method == "POST" else None
    hours = int(actions.TOKEN_OVERLAP.total_seconds()) // 3600
    form = RotateForm(sent, overlap=hours)
    if sent is None:
        form.version.data = actions.token_version(backend)
    elif form.validate():
        try:
            token = actions.rotate_token(
                request.db,
                backend,
                by=request.identity,
                overlap=timedelta(hours=form.overlap.data or 0),
                seen=form.version.data or "",
                reason=form.reason.data,
            )
        except ChangedMeanwhile:
            form.form_errors.append(
                "The token was replaced since you opened this page, perhaps by this same form. Nothing was "
                "changed now. Send it again only if the newest token is lost."
            )
            form.version.data = actions.token_version(backend)
        else:
            return _token_page(request, backend, token, "rotated", backend.previous_token_expires_at)
    now = utcnow()
    ends = backend.previous_token_expires_at
    return {
        **frame(request, backend, "Replace the token"),
        "backend": backend,
        "form": form,
        "earlier": ends if ends and ends > now else None,
        "now": now,
    }


def _token_page(
    request: Request, backend: Backend, token: str, done: str, previous_until: Any
) -> dict[str, Any]:
    request.override_renderer = f"{FOLDER}/token.jinja2"
    return {
        **frame(request, backend, "New token"),
        "backend": backend,
        "token": token,
        "done": done,
        "previous_until": previous_until,
    }


def frame(request: Request, backend: Backend | None, title: str = "") -> dict[str, Any]:
    """Where the page is: the title is that of a page of a backend, or of one beside the list."""
    crumbs: list[tuple[str, str | None]] = [
        ("Staff area", page_url(request, "staff")),
        ("Backends", page_url(request, "staff", "backends")),
    ]
    if backend is not None:
        here = page_url(request, "staff", "backends", backend.id) if title else None
        crumbs.append((backend.name, here))
    return {
        "heading": title or (backend.name if backend else "Backends"),
        "breadcrumbs": [*crumbs, (title, None)] if title else crumbs,
        "url": lambda *names: page_url(request, *names),
    }


def to_backend(request: Request, backend: Backend) -> HTTPSeeOther:
    """To the backend's page, after something was done."""
    return HTTPSeeOther(page_url(request, "staff", "backends", backend.id))
