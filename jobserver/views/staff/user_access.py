"""What somebody may do: the first page about them, and which backends they may use (spec: staff 13.2)."""

from typing import Any

from pyramid.httpexceptions import HTTPNotFound, HTTPSeeOther
from pyramid.request import Request
from pyramid.view import view_config

from jobserver.actions import affiliations
from jobserver.actions.versions import ChangedMeanwhile
from jobserver.forms.staff.affiliations import AffiliationsForm
from jobserver.models import AuditType, User
from jobserver.queries.changes import Change
from jobserver.queries.staff import audit
from jobserver.queries.staff import user as queries
from jobserver.resources.links import page_url
from jobserver.resources.staff import StaffUser
from jobserver.security.permissions import Permission
from jobserver.views.fields import texts
from jobserver.views.staff import user_roles
from jobserver.views.staff.user_frame import frame, tabs, user_url

TEMPLATE = "jobserver:templates/staff/users/access.jinja2"
BACKENDS = [
    AuditType.BACKEND_MEMBER_ADDED,
    AuditType.BACKEND_MEMBER_REMOVED,
    AuditType.BACKEND_MEMBER_UPDATED,
]


@view_config(
    context=StaffUser, permission=Permission.STAFF_AREA_VIEW, request_method="GET", renderer=TEMPLATE
)
def access(context: StaffUser, request: Request) -> dict[str, Any]:
    """Roles, projects, backends and organisations, and what was changed last."""
    return _page(request, context.thing)


@view_config(
    context=StaffUser,
    permission=Permission.USER_MANAGE,
    request_method="POST",
    renderer=TEMPLATE,
    repeatable=("backends",),
)
def set_backends(context: StaffUser, request: Request) -> dict[str, Any] | HTTPSeeOther:
    """Let the person use exactly the backends that were ticked. 404 for who does not sign in with GitHub."""
    user = context.thing
    if not queries.facts(request.db, user).uses_github:
        raise HTTPNotFound
    form = _form(request, user, texts(request.POST))
    if not form.validate():
        return _page(request, user, form)
    try:
        changed = affiliations.set_all(
            request.db,
            affiliations.BACKENDS,
            user,
            form.wanted,
            by=request.identity,
            seen=form["version"].data or "",
            reason=form["reason"].data or "",
        )
    except ChangedMeanwhile:
        return _page(request, user, form, conflict=conflict(request, user, form, BACKENDS))
    if changed:
        request.flash("success", f"Saved the backends of {user.username}.")
    else:
        request.flash("info", "Nothing was changed.")
    return HTTPSeeOther(user_url(request, user))


def conflict(
    request: Request, user: User, form: AffiliationsForm, types: list[AuditType]
) -> tuple[Change | None, list[tuple[str, str, str]]]:
    """Who changed it meanwhile, and what differs: as it is now, and as it was sent.

    The form then stands for what is shown: sent again, it replaces it.
    """
    change = queries.last_change(request.db, user, types)
    who = change.who if change else "Somebody"
    form.form_errors.append(f"{who} has changed this since you opened this page. Nothing was saved.")
    form["version"].data = affiliations.version(form.held)
    return change, form.differences()


def _form(request: Request, user: User, sent: Any = None) -> AffiliationsForm:
    places = queries.backends(request.db, user)
    return AffiliationsForm("backends", "Backends", places, {each.id: each.slug for each in places}, sent)


def _page(
    request: Request, user: User, form: AffiliationsForm | None = None, *, conflict: Any = None
) -> dict[str, Any]:
    db, facts = request.db, queries.facts(request.db, user)
    form = form or _form(request, user)
    projects, orgs = queries.in_projects(db, user), queries.orgs_of(db, user)
    return {
        **frame(request, user, facts=facts),
        **user_roles.form_values(request, user),
        "tabs": tabs(request, user, facts, ""),
        "projects": projects,
        "orgs": orgs,
        "backends_form": form,
        "conflict": conflict,
        "missing": _missing(facts.uses_github, bool(form.held), bool(orgs), bool(projects)),
        "copiloted": queries.copiloted(db, user),
        "jobs": queries.newest_jobs(db, user),
        "asked_at": [(page_url(request, each.org_slug, each.slug), each.name) for each in projects],
        "recent": audit.recent_of_user(db, user),
    }


def _missing(uses_github: bool, backend: bool, org: bool, project: bool) -> list[tuple[str, str]]:
    """What somebody who signs in with GitHub lacks, and what they cannot do without it."""
    if not uses_github:
        return []
    lacks = [
        (backend, "backend", "run jobs"),
        (org, "organisation", "create workspaces"),
        (project, "project", "see or run anything that is not public"),
    ]
    return [(what, act) for there, what, act in lacks if not there]
