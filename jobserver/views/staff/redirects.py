"""Old addresses in the staff area: listed, looked at, added, kept, ended (spec: staff 9, 17.15)."""

from typing import Any

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from jobserver.actions import changes
from jobserver.actions import redirects_by_hand as actions
from jobserver.actions.naming import Refused
from jobserver.actions.versions import ChangedMeanwhile
from jobserver.forms.staff.redirects import NewRedirectForm, path_names
from jobserver.models import Redirect, utcnow
from jobserver.queries.addresses import place_at
from jobserver.queries.staff import redirects as queries
from jobserver.queries.staff.audit import recent
from jobserver.resources.links import page_url
from jobserver.resources.staff import StaffRedirect, StaffRedirects
from jobserver.security.permissions import Permission
from jobserver.views.fields import texts
from jobserver.views.staff.listing import TEMPLATE, listed

FOLDER = "jobserver:templates/staff/redirects"


@view_config(
    context=StaffRedirects, permission=Permission.STAFF_AREA_VIEW, request_method="GET", renderer=TEMPLATE
)
def redirects(context: StaffRedirects, request: Request) -> dict[str, Any] | Response:
    """All that were not deleted, expired or not."""
    return listed(request, queries.REDIRECTS, part="redirects/list", heading="Redirects", file="redirects")


@view_config(
    context=StaffRedirects,
    name="add",
    permission=Permission.STAFF_AREA_ACCESS,
    request_method=("GET", "POST"),
    renderer=f"{FOLDER}/add.jinja2",
)
def add(context: StaffRedirects, request: Request) -> dict[str, Any] | HTTPSeeOther:
    """One by hand: an old path, and the page that it is to lead to."""
    form = NewRedirectForm(texts(request.POST))
    if request.method == "POST" and form.validate():
        base_url = request.registry["settings"].base_url
        old = path_names(form.old_url.data or "", base_url)
        new = path_names(form.target.data or "", base_url)
        place = place_at(request.db, new) if new else None
        if place is None:
            form.target.errors = ["No organisation, project or workspace has its page at this address."]
        if old is None:
            form.old_url.errors = ["Enter a path of this site, such as /old-name/, without ? and #."]
        if place is not None and old is not None:
            try:
                redirect = actions.add(request.db, old, place, by=request.identity)
            except Refused as fault:
                form.old_url.errors = [str(fault)]
            else:
                request.flash("success", f"{redirect.old_url} now leads to {_row(request, redirect).target}.")
                return HTTPSeeOther(_url(request, redirect))
    return {**_frame(request, "Add"), "form": form}


@view_config(
    context=StaffRedirect,
    permission=Permission.STAFF_AREA_VIEW,
    request_method="GET",
    renderer=f"{FOLDER}/detail.jinja2",
)
def detail(context: StaffRedirect, request: Request) -> dict[str, Any]:
    """From where to where, since when and until when."""
    redirect = context.thing
    return {
        **_frame(request, redirect.old_url),
        "row": _row(request, redirect),
        "version": changes.version(redirect, "expires_at"),
        "may_change": request.has_permission(Permission.STAFF_AREA_ACCESS),
        "events": recent(request.db, "Redirect", redirect.id),
        "now": utcnow(),
        "here": _url(request, redirect),
        "url": lambda *names: page_url(request, *names),
    }


@view_config(
    context=StaffRedirect, name="extend", permission=Permission.STAFF_AREA_ACCESS, request_method="POST"
)
def extend(context: StaffRedirect, request: Request) -> HTTPSeeOther:
    """A year more."""
    redirect = context.thing
    seen = texts(request.POST).get("version", "")
    try:
        actions.extend(request.db, redirect, seen=seen, by=request.identity)
    except ChangedMeanwhile:
        request.flash("warning", "Its end was changed since you opened the page. Nothing was changed now.")
    except Refused as fault:
        request.flash("warning", str(fault))
    else:
        request.flash("success", f"{redirect.old_url} leads on for a year more.")
    return HTTPSeeOther(_url(request, redirect))


@view_config(
    context=StaffRedirect,
    name="delete",
    permission=Permission.STAFF_AREA_ACCESS,
    request_method="GET",
    renderer=f"{FOLDER}/delete.jinja2",
)
def confirm_delete(context: StaffRedirect, request: Request) -> dict[str, Any]:
    """The question."""
    redirect = context.thing
    return {
        **_frame(request, redirect.old_url),
        "row": _row(request, redirect),
        "back": _url(request, redirect),
    }


@view_config(
    context=StaffRedirect, name="delete", permission=Permission.STAFF_AREA_ACCESS, request_method="POST"
)
def delete(context: StaffRedirect, request: Request) -> HTTPSeeOther:
    """Let it lead nowhere. The row stays, with who did it."""
    redirect = context.thing
    target = _row(request, redirect).target
    if actions.delete(request.db, redirect, by=request.identity):
        request.flash("success", f"Deleted the redirect from {redirect.old_url} to {target}.")
    else:
        request.flash("info", f"The redirect from {redirect.old_url} was deleted already.")
    return HTTPSeeOther(page_url(request, "staff", "redirects"))


def _row(request: Request, redirect: Redirect) -> queries.RedirectRow:
    return queries.redirect_row(request.db, redirect.id)


def _url(request: Request, redirect: Redirect) -> str:
    return page_url(request, "staff", "redirects", redirect.id)


def _frame(request: Request, here: str) -> dict[str, Any]:
    list_url = page_url(request, "staff", "redirects")
    trail = [("Staff area", page_url(request, "staff")), ("Redirects", list_url), (here, None)]
    return {"breadcrumbs": trail, "list_url": list_url}
