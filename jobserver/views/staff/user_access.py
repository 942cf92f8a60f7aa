"""What somebody may do: the first page about them, and which backends they may use (spec: staff 13.2)."""

from typing import Any

from pyramid.httpexceptions import HTTPNotFound, HTTPSeeOther
from pyramid.request import Request
from pyramid.view import view_config

from jobserver.actions.affiliations import BACKENDS
from jobserver.forms.staff.affiliations import AffiliationsForm
from jobserver.models import User
from jobserver.queries.staff import audit
from jobserver.queries.staff import user as queries
from jobserver.resources.links import page_url
from jobserver.resources.staff import StaffUser
from jobserver.security.permissions import Permission
from jobserver.views.fields import texts
from jobserver.views.staff import user_roles
from jobserver.views.staff.editing import Conflict
from jobserver.views.staff.user_affiliations import form_of, save
from jobserver.views.staff.user_frame import frame, tabs, user_url

TEMPLATE = "jobserver:templates/staff/users/access.jinja2"


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
    form = form_of(request, user, BACKENDS, texts(request.POST))
    if not form.validate():
        return _page(request, user, form)
    if conflict := save(request, user, BACKENDS, form):
        return _page(request, user, form, conflict)
    return HTTPSeeOther(user_url(request, user))


def _page(
    request: Request, user: User, form: AffiliationsForm | None = None, conflict: Conflict | None = None
) -> dict[str, Any]:
    db, facts = request.db, queries.facts(request.db, user)
    form = form or form_of(request, user, BACKENDS)
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
