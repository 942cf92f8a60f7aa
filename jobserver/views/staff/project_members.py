"""Who belongs to a project: adding, changing and removing members (spec: staff 8.7)."""

from typing import Any

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.view import view_config

from jobserver.actions import memberships as actions
from jobserver.actions.naming import Taken
from jobserver.actions.versions import ChangedMeanwhile
from jobserver.forms.staff.members import HINTS, AddMembersForm, MemberForm
from jobserver.models import AuditType, Project, ProjectMembership, User
from jobserver.queries.changes import last_change
from jobserver.queries.staff import project_page as queries
from jobserver.resources.links import page_url
from jobserver.resources.staff import StaffMembership, StaffProject
from jobserver.security.next_url import safe_next
from jobserver.security.permissions import Permission
from jobserver.security.roles import ROLES, known
from jobserver.templating.times import last_day
from jobserver.views.fields import texts
from jobserver.views.staff.editing import Conflict, overtaken, say_saved
from jobserver.views.staff.places import project_crumbs, project_home

ADD = "jobserver:templates/staff/projects/add_member.jinja2"
EDIT = "jobserver:templates/staff/projects/edit_member.jinja2"
REMOVE = "jobserver:templates/staff/projects/remove_member.jinja2"
MAY = Permission.USER_EDIT_PROJECT_ROLES


@view_config(context=StaffProject, name="add-member", permission=MAY, request_method="GET", renderer=ADD)
def add(context: StaffProject, request: Request) -> dict[str, Any]:
    """The form, beside those who are members already; ``user`` names somebody to add."""
    return _add_page(request, context.thing, AddMembersForm(users=request.GET.get("user", "")[:255]))


@view_config(
    context=StaffProject,
    name="add-member",
    permission=MAY,
    request_method="POST",
    renderer=ADD,
    repeatable=("roles",),
)
def add_all(context: StaffProject, request: Request) -> dict[str, Any] | HTTPSeeOther:
    """Make all of them members, or nobody."""
    project = context.thing
    form = AddMembersForm(texts(request.POST))
    if not form.validate():
        return _add_page(request, project, form)
    users, faults = _people(request, form)
    if not faults:
        try:
            actions.add_all(
                request.db, project, users, roles=form.chosen, by=request.identity, ends_at=form.ends_at
            )
        except Taken as taken:
            faults = [f"Members of the project already: {taken.value}. Nobody was added."]
    if faults:
        form.users.errors = faults
        return _add_page(request, project, form)
    request.flash("success", f"Added {', '.join(user.username for user in users)} to {project.title}.")
    return HTTPSeeOther(_back(request, project))


@view_config(context=StaffMembership, name="edit", permission=MAY, request_method="GET", renderer=EDIT)
def edit(context: StaffMembership, request: Request) -> dict[str, Any]:
    """The roles as they are. ``next`` may say where to go afterwards."""
    form = _stored(context.thing)
    form.next.data = request.GET.get("next", "")
    return _edit_page(request, context.thing, context.project.thing, form)


@view_config(
    context=StaffMembership,
    name="edit",
    permission=MAY,
    request_method="POST",
    renderer=EDIT,
    repeatable=("roles",),
)
def save(context: StaffMembership, request: Request) -> dict[str, Any] | HTTPSeeOther:
    """Give the member exactly these roles, until then."""
    project, membership = context.project.thing, context.thing
    form = MemberForm(texts(request.POST))
    form.kept = membership.ends_at
    if not form.validate():
        return _edit_page(request, membership, project, form)
    username = membership.user.username
    if not actions.hold(request.db, membership):
        return _gone(request, username, project)
    wanted = {role.value for role in form.chosen}
    differs = wanted != set(membership.roles) or form.ends_at != membership.ends_at
    try:
        if differs:
            actions.check_seen(membership, form.version.data or "")
    except ChangedMeanwhile:
        types = (AuditType.PROJECT_MEMBER_UPDATED, AuditType.PROJECT_MEMBER_UPDATED_ROLES)
        change = last_change(request.db, membership, *types)
        conflict = overtaken(form, _stored(membership), change)
        return _edit_page(request, membership, project, form, conflict)
    actions.update_roles(request.db, membership, form.chosen, by=request.identity)
    actions.set_end(request.db, membership, form.ends_at, by=request.identity)
    say_saved(request, differs, f"the roles of {membership.user.username} on {project.title}")
    return HTTPSeeOther(_next(request, project))


@view_config(context=StaffMembership, name="remove", permission=MAY, request_method="GET", renderer=REMOVE)
def ask_to_remove(context: StaffMembership, request: Request) -> dict[str, Any]:
    """The question before it."""
    membership, project = context.thing, context.project.thing
    return {
        "member": membership.user,
        "project": project,
        "roles": [ROLES[role].name for role in known(membership.roles)],
        "next": safe_next(request.GET.get("next"), ""),
        "back_url": safe_next(request.GET.get("next"), _back(request, project)),
        "breadcrumbs": project_crumbs(request, project, "Remove a member"),
    }


@view_config(context=StaffMembership, name="remove", permission=MAY, request_method="POST")
def remove(context: StaffMembership, request: Request) -> HTTPSeeOther:
    """End the membership."""
    membership, project = context.thing, context.project.thing
    username = membership.user.username
    if not actions.remove(request.db, membership, by=request.identity):
        return _gone(request, username, project)
    request.flash("success", f"Removed {username} from {project.title}.")
    return HTTPSeeOther(_next(request, project))


def _gone(request: Request, username: str, project: Project) -> HTTPSeeOther:
    """Somebody else has just removed the member."""
    request.flash("info", f"{username} is no member of {project.title} any more. Nothing was changed.")
    return HTTPSeeOther(_next(request, project))


def _people(request: Request, form: AddMembersForm) -> tuple[list[User], list[str]]:
    """Those whose names were typed, and what is wrong with the names."""
    found = queries.users_named(request.db, form.usernames)
    unknown = [name for name in form.usernames if name.lower() not in found]
    closed = [user.username for user in found.values() if user.disabled_at is not None]
    faults = []
    if unknown:
        faults.append(f"Nobody has this username: {', '.join(unknown)[:500]}. Nobody was added.")
    if closed:
        faults.append(f"This account is disabled: {', '.join(closed)}. Nobody was added.")
    return [found[name.lower()] for name in form.usernames if name.lower() in found], faults


def _back(request: Request, project: Project) -> str:
    """Where the members are: the project's page, or the form that lists them for who may not see that."""
    if request.has_permission(Permission.STAFF_AREA_VIEW):
        return project_home(request, project)
    return page_url(request, "staff", "projects", project.slug, "add-member")


def _next(request: Request, project: Project) -> str:
    wanted = request.POST.get("next") or request.GET.get("next")
    return safe_next(wanted, _back(request, project))


def _stored(membership: ProjectMembership) -> MemberForm:
    return MemberForm(
        roles=[role.value for role in known(membership.roles)],
        last_day=last_day(membership.ends_at) if membership.ends_at else None,
        version=actions.version(membership),
    )


def _add_page(request: Request, project: Project, form: AddMembersForm) -> dict[str, Any]:
    return {
        "form": form,
        "hints": HINTS,
        "project": project,
        "members": queries.members(request.db, project.id),
        "here": lambda *names: page_url(request, "staff", "projects", project.slug, *names),
        "back_url": project_home(request, project),
        "breadcrumbs": project_crumbs(request, project, "Add members"),
    }


def _edit_page(
    request: Request,
    membership: ProjectMembership,
    project: Project,
    form: MemberForm,
    conflict: Conflict | None = None,
) -> dict[str, Any]:
    form.next.data = safe_next(form.next.data, "")
    return {
        "form": form,
        "hints": HINTS,
        "member": membership.user,
        "github": queries.github_login(request.db, membership.user_id),
        "project": project,
        "conflict": conflict,
        "remove_url": page_url(
            request, "staff", "projects", project.slug, "members", membership.id, "remove"
        ),
        "back_url": safe_next(form.next.data, _back(request, project)),
        "breadcrumbs": project_crumbs(request, project, f"Roles of {membership.user.username}"),
    }
