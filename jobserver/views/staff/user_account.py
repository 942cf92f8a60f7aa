"""Somebody's account: name, address, tokens; closing and opening it (spec: staff 13.2, 17.5, 17.32)."""

from typing import Any

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.view import view_config

from jobserver.actions import accounts, changes, closing
from jobserver.actions.naming import Malformed, Refused
from jobserver.actions.versions import ChangedMeanwhile
from jobserver.forms.staff.users import AccountForm, ReasonForm
from jobserver.models import AuditType, User
from jobserver.queries.changes import last_change_to
from jobserver.queries.staff import user as queries
from jobserver.queries.staff.user import Facts
from jobserver.resources.staff import StaffUser
from jobserver.security.permissions import Permission
from jobserver.views.fields import texts
from jobserver.views.staff.editing import Conflict, overtaken, say_saved
from jobserver.views.staff.user_frame import frame, tabs, user_url

ACCOUNT = "jobserver:templates/staff/users/account.jinja2"
DISABLE = "jobserver:templates/staff/users/disable.jinja2"
_FIELDS = {"name": "fullname"}


@view_config(
    context=StaffUser,
    name="account",
    permission=Permission.STAFF_AREA_VIEW,
    request_method="GET",
    renderer=ACCOUNT,
)
def account(context: StaffUser, request: Request) -> dict[str, Any]:
    """What is known of the person, to be changed by those who may."""
    user, facts = context.thing, queries.facts(request.db, context.thing)
    return _page(request, user, _stored(user, facts), facts)


@view_config(
    context=StaffUser,
    name="account",
    permission=Permission.USER_MANAGE,
    request_method="POST",
    renderer=ACCOUNT,
)
def save(context: StaffUser, request: Request) -> dict[str, Any] | HTTPSeeOther:
    """Keep the name, and of whoever does not sign in with GitHub the address."""
    user = context.thing
    facts = queries.facts(request.db, user)
    form = _fit(AccountForm(texts(request.POST)), user, facts)
    if not form.validate():
        return _page(request, user, form, facts)
    try:
        changed = accounts.edit(
            request.db,
            user,
            fullname=form.fullname.data or "",
            email=form.data.get("email") or "",
            uses_github=facts.uses_github,
            by=request.identity,
            seen=form.version.data or "",
            reason=form.reason.data or "",
        )
    except ChangedMeanwhile:
        change = last_change_to(request.db, user, AuditType.USER_UPDATED)
        conflict = overtaken(form, _stored(user, facts), change)
        return _page(request, user, form, facts, conflict)
    except Refused as refusal:
        field = form[_FIELDS.get(refusal.field, refusal.field)]
        field.errors = [f"It {refusal.why}." if isinstance(refusal, Malformed) else str(refusal)]
        return _page(request, user, form, facts)
    say_saved(request, changed, f"the account of {user.username}")
    return HTTPSeeOther(user_url(request, user, "account"))


def _stored(user: User, facts: Facts) -> AccountForm:
    version = changes.version(user, *accounts.fields(uses_github=facts.uses_github))
    return _fit(AccountForm(fullname=user.fullname, email=user.email, version=version), user, facts)


def _fit(form: AccountForm, user: User, facts: Facts) -> AccountForm:
    """Without the address of who signs in with GitHub; of the others only bots need none."""
    if facts.uses_github:
        del form.email
    elif accounts.needs_email(user):
        form.email.flags.required = True
    return form


def _page(
    request: Request, user: User, form: AccountForm, facts: Facts, conflict: Conflict | None = None
) -> dict[str, Any]:
    db = request.db
    return {
        **frame(request, user, facts=facts),
        "tabs": tabs(request, user, facts, "account"),
        "form": form,
        "conflict": conflict,
        "tokens": queries.tokens(db, user),
        "applications": queries.applications(db, user),
    }


@view_config(
    context=StaffUser,
    name="disable",
    permission=Permission.USER_MANAGE,
    request_method="GET",
    renderer=DISABLE,
)
def confirm_disable(context: StaffUser, request: Request) -> dict[str, Any]:
    """The question, with what would end."""
    return _disable_page(request, context.thing, ReasonForm())


@view_config(
    context=StaffUser,
    name="disable",
    permission=Permission.USER_MANAGE,
    request_method="POST",
    renderer=DISABLE,
)
def disable(context: StaffUser, request: Request) -> dict[str, Any] | HTTPSeeOther:
    """Close the account."""
    user = context.thing
    form = ReasonForm(texts(request.POST))
    if not form.validate():
        return _disable_page(request, user, form)
    try:
        changed = closing.disable(request.db, user, by=request.identity, reason=form.reason.data or "")
    except Refused as refusal:
        form.form_errors.append(str(refusal))
        return _disable_page(request, user, form)
    if changed:
        request.flash("success", f"The account of {user.username} is disabled.")
    else:
        request.flash("info", f"The account of {user.username} was disabled already.")
    return HTTPSeeOther(user_url(request, user, "account"))


@view_config(context=StaffUser, name="enable", permission=Permission.USER_MANAGE, request_method="POST")
def enable(context: StaffUser, request: Request) -> HTTPSeeOther:
    """Open a closed account again."""
    user = context.thing
    if closing.enable(request.db, user, by=request.identity):
        request.flash("success", f"{user.username} can sign in again.")
    else:
        request.flash("info", f"The account of {user.username} was not disabled.")
    return HTTPSeeOther(user_url(request, user, "account"))


def _disable_page(request: Request, user: User, form: ReasonForm) -> dict[str, Any]:
    return {**frame(request, user, "Disable account"), "form": form}
