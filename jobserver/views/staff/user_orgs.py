"""Which organisations somebody belongs to (spec: staff 13.4, 17.26)."""

from typing import Any

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.view import view_config

from jobserver.actions import affiliations
from jobserver.actions.versions import ChangedMeanwhile
from jobserver.forms.staff.affiliations import AffiliationsForm
from jobserver.models import AuditType, User
from jobserver.queries.staff import user as queries
from jobserver.resources.staff import StaffUser
from jobserver.security.permissions import Permission
from jobserver.views.fields import texts
from jobserver.views.staff.user_access import conflict
from jobserver.views.staff.user_frame import frame, user_url

TEMPLATE = "jobserver:templates/staff/users/set_orgs.jinja2"
ORGS = [AuditType.ORG_MEMBER_ADDED, AuditType.ORG_MEMBER_REMOVED, AuditType.ORG_MEMBER_UPDATED]


@view_config(
    context=StaffUser,
    name="set-orgs",
    permission=Permission.USER_MANAGE,
    request_method="GET",
    renderer=TEMPLATE,
)
def orgs(context: StaffUser, request: Request) -> dict[str, Any]:
    """All organisations, those of the person ticked."""
    return _page(request, context.thing, _form(request, context.thing))


@view_config(
    context=StaffUser,
    name="set-orgs",
    permission=Permission.USER_MANAGE,
    request_method="POST",
    renderer=TEMPLATE,
    repeatable=("orgs",),
)
def set_orgs(context: StaffUser, request: Request) -> dict[str, Any] | HTTPSeeOther:
    """Make the person a member of exactly the organisations that were ticked."""
    user = context.thing
    form = _form(request, user, texts(request.POST))
    if not form.validate():
        return _page(request, user, form)
    try:
        changed = affiliations.set_all(
            request.db,
            affiliations.ORGS,
            user,
            form.wanted,
            by=request.identity,
            seen=form["version"].data or "",
            reason=form["reason"].data or "",
        )
    except ChangedMeanwhile:
        return _page(request, user, form, both=conflict(request, user, form, ORGS))
    if changed:
        request.flash("success", f"Saved the organisations of {user.username}.")
    else:
        request.flash("info", "Nothing was changed.")
    return HTTPSeeOther(user_url(request, user))


def _form(request: Request, user: User, sent: Any = None) -> AffiliationsForm:
    places = queries.orgs(request.db, user)
    return AffiliationsForm("orgs", "Organisations", places, {each.id: str(each.id) for each in places}, sent)


def _page(request: Request, user: User, form: AffiliationsForm, *, both: Any = None) -> dict[str, Any]:
    return {**frame(request, user, "Organisations"), "form": form, "conflict": both}
