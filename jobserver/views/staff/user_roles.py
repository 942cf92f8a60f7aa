"""Somebody's global roles (spec: staff 13.3, 17.17, 17.21)."""

from typing import Any

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.view import view_config

from jobserver.actions import clearing_roles, users
from jobserver.actions.administrators import LastAdministrator
from jobserver.actions.versions import ChangedMeanwhile, version_of
from jobserver.forms.staff.users import ReasonForm, RolesForm
from jobserver.models import AuditType, Role, User
from jobserver.queries.staff import user as queries
from jobserver.resources.staff import StaffUserRoles
from jobserver.security.next_url import safe_next
from jobserver.security.permissions import Permission
from jobserver.security.roles import ROLES, SENSITIVE, known
from jobserver.views.fields import texts
from jobserver.views.staff.user_frame import frame, user_url

ROLES_PAGE = "jobserver:templates/staff/users/roles.jinja2"
CLEAR_PAGE = "jobserver:templates/staff/users/clear_roles.jinja2"
# Roles of little use alone.
_TOGETHER = {Role.SERVICE_ADMINISTRATOR, Role.TECH_SUPPORT}


def form_values(request: Request, user: User, form: RolesForm | None = None) -> dict[str, Any]:
    """What the form of the roles shows; it is on two pages."""
    form = form or RolesForm(roles=user.roles)
    if request.identity.user_id != user.id and "own" in form:
        del form.own
    form.version.data = form.version.data or version_of(*sorted(user.roles))
    return {
        "roles_form": form,
        "held": [ROLES[role] for role in sorted(known(user.roles))],
        "hints": {role.value: _hint(role) for role in ROLES},
        "sensitive": {role.value for role in SENSITIVE},
        "can_give_roles": Role.STAFF_AREA_ADMINISTRATOR.value,
    }


def _hint(role: Role) -> str:
    words = f"{ROLES[role].description}."
    return f"{words} Needs Staff Area Administrator too." if role in _TOGETHER else words


@view_config(
    context=StaffUserRoles, permission=Permission.USER_MANAGE, request_method="GET", renderer=ROLES_PAGE
)
def roles(context: StaffUserRoles, request: Request) -> dict[str, Any]:
    """The roles that can be given globally, and those that the person has in projects."""
    return _page(request, context.user.thing)


@view_config(
    context=StaffUserRoles,
    permission=Permission.USER_MANAGE,
    request_method="POST",
    renderer=ROLES_PAGE,
    repeatable=("roles",),
)
def save(context: StaffUserRoles, request: Request) -> dict[str, Any] | HTTPSeeOther:
    """Give exactly the roles that were ticked; ``next`` may say where to go afterwards."""
    user = context.user.thing
    form = RolesForm(texts(request.POST))
    if request.identity.user_id != user.id:
        del form.own
    if not form.validate():
        return _page(request, user, form)
    held, reason = set(user.roles), form.reason.data or ""
    try:
        changed = users.set_global_roles(
            request.db, user, form.chosen, by=request.identity, seen=form.version.data or "", reason=reason
        )
    except LastAdministrator as refusal:
        form.roles.errors = [str(refusal)]
        return _page(request, user, form)
    except ChangedMeanwhile:
        return _conflict(request, user, form)
    if not changed:
        request.flash("info", "Nothing was changed.")
    elif SENSITIVE & (set(form.chosen) - held):
        told = f"Saved the roles of {user.username}. They and the administrators are told by email."
        request.flash("success", told)
    else:
        request.flash("success", f"Saved the roles of {user.username}.")
    return HTTPSeeOther(safe_next(request.params.get("next"), user_url(request, user)))


def _conflict(request: Request, user: User, form: RolesForm) -> dict[str, Any]:
    change = queries.last_change(request.db, user, [AuditType.USER_UPDATED_ROLES])
    who = change.who if change else "Somebody"
    form.form_errors.append(f"{who} has changed these roles since you opened this page. Nothing was saved.")
    form.version.data = version_of(*sorted(user.roles))
    rows = [("Global roles", _names(user.roles), _names(form.roles.data or []))]
    return _page(request, user, form, conflict=(change, rows))


def _names(roles: list[str]) -> str:
    return ", ".join(ROLES[role].name for role in sorted(known(roles))) or "None"


def _page(
    request: Request, user: User, form: RolesForm | None = None, *, conflict: Any = None
) -> dict[str, Any]:
    return {
        **frame(request, user, "Roles"),
        **form_values(request, user, form),
        "conflict": conflict,
        "next": safe_next(request.params.get("next"), ""),
        "projects": queries.in_projects(request.db, user, with_roles=True),
    }


@view_config(
    context=StaffUserRoles,
    name="clear",
    permission=Permission.USER_MANAGE,
    request_method="GET",
    renderer=CLEAR_PAGE,
)
def confirm_clear(context: StaffUserRoles, request: Request) -> dict[str, Any]:
    """The question, with all that would go."""
    return _clear_page(request, context.user.thing, ReasonForm())


@view_config(
    context=StaffUserRoles,
    name="clear",
    permission=Permission.USER_MANAGE,
    request_method="POST",
    renderer=CLEAR_PAGE,
)
def clear(context: StaffUserRoles, request: Request) -> dict[str, Any] | HTTPSeeOther:
    """Take every role away, global ones and those in projects; memberships stay."""
    user = context.user.thing
    form = ReasonForm(texts(request.POST))
    if not form.validate():
        return _clear_page(request, user, form)
    try:
        changed = clearing_roles.clear(request.db, user, by=request.identity, reason=form.reason.data or "")
    except LastAdministrator as refusal:
        form.form_errors.append(str(refusal))
        return _clear_page(request, user, form)
    if changed:
        request.flash("success", f"{user.username} has no role any more.")
    else:
        request.flash("info", f"{user.username} has no role. Nothing was changed.")
    return HTTPSeeOther(safe_next(request.params.get("next"), user_url(request, user, "roles")))


def _clear_page(request: Request, user: User, form: ReasonForm) -> dict[str, Any]:
    return {
        **frame(request, user, "Take away all roles"),
        "form": form,
        "held": [ROLES[role] for role in sorted(known(user.roles))],
        "next": safe_next(request.params.get("next"), ""),
        "projects": queries.in_projects(request.db, user, with_roles=True),
    }
