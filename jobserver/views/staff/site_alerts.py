"""Banners for everybody who is signed in: listed, written with a preview, deleted (spec: staff 12, 17.19)."""

from typing import Any

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from jobserver.actions import changes
from jobserver.actions import site_alerts as actions
from jobserver.actions.versions import ChangedMeanwhile
from jobserver.forms.staff.site_alerts import SiteAlertForm
from jobserver.models import AuditType, SiteAlert, utcnow
from jobserver.queries.changes import last_change
from jobserver.queries.staff import site_alerts as queries
from jobserver.resources.links import page_url
from jobserver.resources.staff import StaffSiteAlert, StaffSiteAlerts, StaffSiteAlertToDelete
from jobserver.security.permissions import Permission
from jobserver.views.fields import texts
from jobserver.views.staff.editing import Conflict, overtaken
from jobserver.views.staff.listing import TEMPLATE, listed

FOLDER = "jobserver:templates/staff/site_alerts"
PREVIEW = "preview"


@view_config(
    context=StaffSiteAlerts, permission=Permission.STAFF_AREA_VIEW, request_method="GET", renderer=TEMPLATE
)
def site_alerts(context: StaffSiteAlerts, request: Request) -> dict[str, Any] | Response:
    """All of them: shown, to come and over."""
    return listed(
        request, queries.SITE_ALERTS, part="site_alerts/list", heading="Site alerts", file="site-alerts"
    )


@view_config(
    context=StaffSiteAlerts,
    name="add",
    permission=Permission.STAFF_AREA_ACCESS,
    request_method=("GET", "POST"),
    renderer=f"{FOLDER}/form.jinja2",
)
def add(context: StaffSiteAlerts, request: Request) -> dict[str, Any] | HTTPSeeOther:
    """The form; sent with "preview", what it would look like, and nothing is kept."""
    form = SiteAlertForm(texts(request.POST))
    if request.method == "POST" and form.validate() and not _wants_preview(request):
        alert = actions.create(request.db, form.values, by=request.identity)
        return _kept(request, alert)
    return _form_page(request, form, None)


@view_config(
    context=StaffSiteAlert,
    permission=Permission.STAFF_AREA_ACCESS,
    request_method="GET",
    renderer=f"{FOLDER}/form.jinja2",
)
def edit(context: StaffSiteAlert, request: Request) -> dict[str, Any]:
    """The form with what is stored."""
    return _form_page(request, _stored(context.thing), context.thing)


@view_config(
    context=StaffSiteAlert,
    permission=Permission.STAFF_AREA_ACCESS,
    request_method="POST",
    renderer=f"{FOLDER}/form.jinja2",
)
def save(context: StaffSiteAlert, request: Request) -> dict[str, Any] | HTTPSeeOther:
    """Keep it, unless a preview is wanted or somebody else has changed it since the form was opened."""
    alert = context.thing
    form = SiteAlertForm(texts(request.POST))
    if not form.validate() or _wants_preview(request):
        return _form_page(request, form, alert)
    try:
        changed = actions.edit(
            request.db, alert, form.values, seen=form.version.data or "", by=request.identity
        )
    except ChangedMeanwhile:
        change = last_change(request.db, alert, AuditType.SITE_ALERT_UPDATED)
        conflict = overtaken(form, _stored(alert), change)
        return _form_page(request, form, alert, conflict=conflict)
    return _kept(request, alert, changed=changed)


@view_config(
    context=StaffSiteAlertToDelete,
    permission=Permission.STAFF_AREA_ACCESS,
    request_method="GET",
    renderer=f"{FOLDER}/delete.jinja2",
)
def confirm_delete(context: StaffSiteAlertToDelete, request: Request) -> dict[str, Any]:
    """The question (spec: staff 17.2)."""
    return {**_frame(request, "Delete"), "alert": context.thing, "back": _edit_url(request, context.thing)}


@view_config(context=StaffSiteAlertToDelete, permission=Permission.STAFF_AREA_ACCESS, request_method="POST")
def delete(context: StaffSiteAlertToDelete, request: Request) -> HTTPSeeOther:
    """Remove it for good; the audit log keeps what it said."""
    if actions.delete(request.db, context.thing, by=request.identity):
        request.flash("success", "Deleted the site alert. Nobody sees it any more.")
    else:
        request.flash("info", "The site alert was deleted already.")
    return HTTPSeeOther(page_url(request, "staff", "site-alerts"))


def _stored(alert: SiteAlert) -> SiteAlertForm:
    return SiteAlertForm(obj=alert, version=changes.version(alert, *actions.EDITABLE))


def _wants_preview(request: Request) -> bool:
    return bool(request.POST.get("act") == PREVIEW)


def _kept(request: Request, alert: SiteAlert, *, changed: bool = True) -> HTTPSeeOther:
    row = queries.alert_row(request.db, alert.id)
    said = {
        "shown": "Saved the alert. Everybody who is signed in sees it now.",
        "coming": "Saved the alert. It is not shown yet.",
        "over": "Saved the alert. Its end is past, so nobody sees it.",
    }
    if changed:
        request.flash("success", said[row.state(utcnow())])
    else:
        request.flash("info", "Nothing was changed.")
    return HTTPSeeOther(_edit_url(request, alert))


def _edit_url(request: Request, alert: SiteAlert) -> str:
    return page_url(request, "staff", "site-alerts", "edit", alert.id)


def _form_page(
    request: Request,
    form: SiteAlertForm,
    alert: SiteAlert | None,
    *,
    conflict: Conflict | None = None,
) -> dict[str, Any]:
    wanted = _wants_preview(request) and not form.errors
    return {
        **_frame(request, "Edit" if alert else "Add"),
        "form": form,
        "alert": alert,
        "row": queries.alert_row(request.db, alert.id) if alert else None,
        "preview": form.values if wanted else None,
        "conflict": conflict,
        "now": utcnow(),
        "delete_url": page_url(request, "staff", "site-alerts", "delete", alert.id) if alert else "",
    }


def _frame(request: Request, here: str) -> dict[str, Any]:
    list_url = page_url(request, "staff", "site-alerts")
    trail = [("Staff area", page_url(request, "staff")), ("Site alerts", list_url), (here, None)]
    return {"breadcrumbs": trail, "list_url": list_url}
