"""Which organisations somebody belongs to (spec: staff 13.4, 17.26)."""

from typing import Any

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.view import view_config

from jobserver.actions.affiliations import ORGS
from jobserver.forms.staff.affiliations import AffiliationsForm
from jobserver.models import User
from jobserver.resources.staff import StaffUser
from jobserver.security.permissions import Permission
from jobserver.views.fields import texts
from jobserver.views.staff.editing import Conflict
from jobserver.views.staff.user_affiliations import form_of, save
from jobserver.views.staff.user_frame import frame, user_url

TEMPLATE = "jobserver:templates/staff/users/set_orgs.jinja2"


@view_config(
    context=StaffUser,
    name="set-orgs",
    permission=Permission.USER_MANAGE,
    request_method="GET",
    renderer=TEMPLATE,
)
def orgs(context: StaffUser, request: Request) -> dict[str, Any]:
    """All organisations, those of the person ticked."""
    return _page(request, context.thing, form_of(request, context.thing, ORGS))


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
    form = form_of(request, user, ORGS, texts(request.POST))
    if not form.validate():
        return _page(request, user, form)
    if conflict := save(request, user, ORGS, form):
        return _page(request, user, form, conflict)
    return HTTPSeeOther(user_url(request, user))


def _page(
    request: Request, user: User, form: AffiliationsForm, conflict: Conflict | None = None
) -> dict[str, Any]:
    return {**frame(request, user, "Organisations"), "form": form, "conflict": conflict}
