"""Editing an organisation, with its logo (spec: staff 7.4, 17.3)."""

import io
from typing import Any

import structlog
from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.view import view_config

from jobserver.actions import changes
from jobserver.actions import orgs as actions
from jobserver.actions.naming import Refused
from jobserver.actions.redirects import LeadsElsewhere
from jobserver.actions.versions import ChangedMeanwhile
from jobserver.clients.storage import StorageError
from jobserver.forms.staff.logos import Logo
from jobserver.forms.staff.orgs import EditOrgForm
from jobserver.models import AuditType, Org
from jobserver.queries.changes import last_change
from jobserver.resources.links import page_url
from jobserver.resources.staff import StaffOrg
from jobserver.resources.uploads import logo_url
from jobserver.security.permissions import Permission
from jobserver.views.fields import texts
from jobserver.views.staff.editing import Conflict, overtaken, say_saved
from jobserver.views.staff.orgs import FOLDER, home

log = structlog.get_logger("jobserver.uploads")
TEMPLATE = f"{FOLDER}/edit.jinja2"


@view_config(
    context=StaffOrg,
    name="edit",
    permission=Permission.STAFF_AREA_ACCESS,
    request_method="GET",
    renderer=TEMPLATE,
)
def edit(context: StaffOrg, request: Request) -> dict[str, Any]:
    """The form with what is stored."""
    return _page(request, context.thing, _stored(context.thing))


@view_config(
    context=StaffOrg,
    name="edit",
    permission=Permission.STAFF_AREA_ACCESS,
    request_method="POST",
    renderer=TEMPLATE,
    files=("logo",),
)
def save(context: StaffOrg, request: Request) -> dict[str, Any] | HTTPSeeOther:
    """Keep it, unless somebody else has changed it since the form was opened."""
    org = context.thing
    sent = texts(request.POST)
    sent["logo"] = request.POST.get("logo")
    form = EditOrgForm(sent)
    if not form.validate() or not _keeps_logo(request, form):
        return _page(request, org, form)
    try:
        changed = actions.edit(
            request.db,
            org,
            form.values(org.logo_file),
            seen=form.version.data or "",
            take_over=bool(form.take_over.data),
            by=request.identity,
        )
    except ChangedMeanwhile:
        change = last_change(request.db, org, AuditType.ORG_UPDATED)
        conflict = overtaken(form, _stored(org), change)
        return _page(request, org, form, conflict=conflict)
    except Refused as fault:
        form[fault.field].errors = [str(fault)]
        return _page(request, org, form, clashes=isinstance(fault, LeadsElsewhere))
    say_saved(request, changed, org.name)
    return HTTPSeeOther(home(request, org))


def _stored(org: Org) -> EditOrgForm:
    return EditOrgForm(obj=org, version=changes.version(org, *actions.EDITABLE))


def _keeps_logo(request: Request, form: EditOrgForm) -> bool:
    """Keep the picture that was sent, if there is one. Under its name nothing else can ever be."""
    if form.picture is None:
        return True
    try:
        _keep(request, form.picture)
    except StorageError:
        log.exception("logo_not_stored", path=form.picture.path)
        form.logo.errors = ["The logo could not be stored. Nothing was saved; try again later."]
        return False
    return True


def _keep(request: Request, logo: Logo) -> None:
    media = request.clients.media
    media.keep(media.receive(io.BytesIO(logo.content).read, len(logo.content)), logo.path)


def _page(
    request: Request,
    org: Org,
    form: EditOrgForm,
    *,
    conflict: Conflict | None = None,
    clashes: bool = False,
) -> dict[str, Any]:
    back_url = home(request, org)
    return {
        "org": org,
        "form": form,
        "logo": logo_url(org),
        "conflict": conflict,
        "clashes": clashes or form.take_over.data,
        "back_url": back_url,
        "breadcrumbs": [
            ("Staff area", page_url(request, "staff")),
            ("Organisations", page_url(request, "staff", "orgs")),
            (org.name, back_url),
            ("Edit", None),
        ],
    }
