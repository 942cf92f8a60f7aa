"""Whose log it is: of everything, an organisation, a project, a workspace or a person."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request

from jobserver.models import Workspace
from jobserver.queries.event_logs import Log
from jobserver.resources import OrgResource, ProjectResource, Root, UserResource, WorkspaceResource
from jobserver.resources.links import view_url
from jobserver.security.permissions import Permission
from jobserver.views.breadcrumbs import breadcrumbs
from jobserver.views.users import hide_from_strangers


@dataclass(frozen=True)
class Place:
    """A log, and how its page is headed. ``scope`` decides the columns; ``left_out`` are filters it lacks."""

    log: Log
    scope: str
    heading: str
    breadcrumbs: Sequence[tuple[Any, ...]] = ()
    left_out: Sequence[str] = ()
    workspace: Workspace | None = None
    shows_archived: bool = False


@singledispatch
def place_of(context: Any, request: Request) -> Place:
    """The log of what the address names."""
    raise HTTPNotFound


@place_of.register
def _(context: Root, request: Request) -> Place:
    return Place(Log(), "all", "Event log")


@place_of.register
def _(context: OrgResource, request: Request) -> Place:
    """Of the projects in which the organisation takes part, lead or not."""
    org = context.org
    crumbs = [(org.name, view_url(request, context)), ("Job requests", None)]
    return Place(Log(org_id=org.id), "org", org.name, crumbs)


@place_of.register
def _(context: ProjectResource, request: Request) -> Place:
    project = context.project
    crumbs = breadcrumbs(context, request, ("Job requests", None))
    return Place(Log(project_id=project.id), "project", project.title, crumbs, left_out=["project"])


@place_of.register
def _(context: WorkspaceResource, request: Request) -> Place:
    workspace = context.workspace
    may_know = bool(request.has_permission(Permission.WORKSPACE_STATUS_VIEW))
    return Place(
        Log(workspace_id=workspace.id),
        "workspace",
        workspace.name,
        breadcrumbs(context, request, ("Job requests", None)),
        left_out=["project", "workspace"],
        workspace=workspace,
        shows_archived=workspace.is_archived and may_know,
    )


@place_of.register
def _(context: UserResource, request: Request) -> Place:
    """Of what somebody asked for."""
    hide_from_strangers(context, request)
    user = context.user
    crumbs = [(user.fullname, view_url(request, context)), ("Job requests", None)]
    return Place(Log(user_id=user.id), "user", user.fullname, crumbs, left_out=["user"])
