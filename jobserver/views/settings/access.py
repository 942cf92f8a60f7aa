"""What one may do, and what would have to be given: to read only."""

from typing import Any

from pyramid.request import Request
from pyramid.view import view_config

from jobserver.models import Role
from jobserver.queries import settings as queries
from jobserver.resources import SettingsResource
from jobserver.resources.links import page_url
from jobserver.security import roles
from jobserver.security.identity import Identity
from jobserver.security.permissions import Permission
from jobserver.views.pages import pager_of
from jobserver.views.settings.frame import frame

TAB = "access"


@view_config(
    context=SettingsResource,
    name=TAB,
    permission=Permission.ACCOUNT,
    request_method="GET",
    renderer="jobserver:templates/settings/access.jinja2",
    http_cache=0,
)
def access(context: SettingsResource, request: Request) -> dict[str, Any]:
    """Roles, projects, backends and organisations."""
    me, db = request.identity, request.db
    pages = pager_of(request, len(me.project_roles), queries.PAGE)
    return {
        **frame(context, request, TAB),
        "roles": [(roles.ROLES[role], lets(role)) for role in me.roles],
        "projects": queries.projects(db, me.user_id, limit=pages.size, offset=pages.offset),
        "paging": pages,
        "role_names": lambda held: [roles.ROLES[role].name for role in held],
        "project_roles": [
            (roles.ROLES[role], lets(role))
            for role in sorted({role for held in me.project_roles.values() for role in held})
        ],
        "backends": queries.backends(db, me.user_id),
        "orgs": queries.orgs(db, me.user_id),
        "missing": missing(me),
        "url": lambda *names: page_url(request, *names),
    }


def lets(role: Role) -> list[str]:
    """What the role lets one do, in words."""
    return sorted(permission.sentence for permission in roles.session_permissions(role))


def missing(me: Identity) -> list[tuple[str, str]]:
    """What somebody who wants to run jobs would still need, and what lacks without it."""
    may_run = any(
        Permission.JOB_RUN in roles.session_permissions(role)
        for held in (me.roles, *me.project_roles.values())
        for role in held
    )
    needs = [
        ("An organisation", bool(me.org_ids), "Without one you cannot create workspaces."),
        (
            "A role that runs jobs",
            may_run,
            f"“{roles.ROLES[Role.PROJECT_DEVELOPER].name}” of a project lets you run jobs there.",
        ),
        ("A backend", bool(me.backends), "Without one there is nowhere for your jobs to run."),
    ]
    return [(name, explanation) for name, is_there, explanation in needs if not is_there]
