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
from jobserver.queries.changes import last_change_to
from jobserver.queries.staff import user as queries
from jobserver.resources.staff import StaffUserRoles
from jobserver.security.next_url import safe_next
from jobserver.security.permissions import Permission
from jobserver.security.roles import ROLES, SENSITIVE, known
from jobserver.views.fields import texts
from jobserver.views.staff.editing import Conflict, overtaken, say_saved
from jobserver.views.staff.user_frame import frame, user_url

ROLES_PAGE = "jobserver:templates/staff/users/roles.jinja2"
CLEAR_PAGE = "jobserver:templates/staff/users/clear_roles.jinja2"
# Roles of little use alone.
_TOGETHER = {Role.SERVICE_ADMINISTRATOR, Role.TECH_SUPPORT}


def form_values(request: Request, user: User, form: RolesForm | None = None) -> dict[str, Any]:
    """What the form of the roles shows; it is on two pages."""
    form = form or _stored(user)
    if request.identity.user_id != user.id and "own" in form:
        del form.own
    return {
        "roles_form": form,
        "held": [ROLES[role] for role in sorted(known(user.roles))],
        "hints": {role.value: _hint(role) for role in ROLES},
        "sensitive": {role.value for role in SENSITIVE},
        "can_give_roles": Role.STAFF_AREA_ADMINISTRATOR.value,
    }


def _stored(user: User) -> RolesForm:
    return RolesForm(roles=user.roles, version=version_of(*sorted(user.roles)))


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
        change = last_change_to(request.db, user, AuditType.USER_UPDATED_ROLES)
        return _page(request, user, form, overtaken(form, _stored(user), change))
    if changed and SENSITIVE & (set(form.chosen) - held):
        told = f"Saved the roles of {user.username}. They and the administrators are told by email."
        request.flash("success", told)
    else:
        say_saved(request, changed, f"the roles of {user.username}")
    return HTTPSeeOther(safe_next(request.params.get("next"), user_url(request, user)))


def _page(
    request: Request, user: User, form: RolesForm | None = None, conflict: Conflict | None = None
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
    """Take every role away; those in projects only if the person may edit members, and memberships stay."""
    user = context.user.thing
    form = ReasonForm(texts(request.POST))
    if not form.validate():
        return _clear_page(request, user, form)
    reason, in_projects = form.reason.data or "", request.has_permission(Permission.USER_EDIT_PROJECT_ROLES)
    try:
        changed = clearing_roles.clear(
            request.db, user, by=request.identity, in_projects=bool(in_projects), reason=reason
        )
    except LastAdministrator as refusal:
        form.form_errors.append(str(refusal))
        return _clear_page(request, user, form)
    role = "role" if in_projects else "global role"
    if changed:
        request.flash("success", f"{user.username} has no {role} any more.")
    else:
        request.flash("info", f"{user.username} has no {role}. Nothing was changed.")
    return HTTPSeeOther(safe_next(request.params.get("next"), user_url(request, user, "roles")))


def _clear_page(request: Request, user: User, form: ReasonForm) -> dict[str, Any]:
    projects = queries.in_projects(request.db, user, with_roles=True)
    may = request.has_permission(Permission.USER_EDIT_PROJECT_ROLES)
    return {
        **frame(request, user, "Take away all roles"),
        "form": form,
        "held": [ROLES[role] for role in sorted(known(user.roles))],
        "next": safe_next(request.params.get("next"), ""),
        "projects": projects if may else [],
        "kept": [] if may else projects,
    }
