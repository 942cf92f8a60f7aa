"""Workspaces in the staff area: listed, looked at, moved and edited (spec: staff 14)."""

from typing import Any

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from jobserver.actions import changes
from jobserver.actions import workspaces as actions
from jobserver.actions.versions import ChangedMeanwhile
from jobserver.forms.staff.workspaces import EditWorkspaceForm
from jobserver.models import AuditType, Project, User, Workspace, utcnow
from jobserver.queries.activity import latest_in
from jobserver.queries.changes import last_change
from jobserver.queries.release_pages import in_workspace, late, releases
from jobserver.queries.staff import workspaces as queries
from jobserver.queries.staff.audit import recent
from jobserver.queries.staff.redirects import leading_to
from jobserver.resources.links import page_url
from jobserver.resources.staff import StaffWorkspace, StaffWorkspaces
from jobserver.security.permissions import Permission
from jobserver.views.fields import texts
from jobserver.views.staff.editing import Conflict, overtaken, say_saved
from jobserver.views.staff.listing import TEMPLATE, listed

FOLDER = "jobserver:templates/staff/workspaces"
EDIT = f"{FOLDER}/edit.jinja2"


@view_config(
    context=StaffWorkspaces, permission=Permission.STAFF_AREA_VIEW, request_method="GET", renderer=TEMPLATE
)
def workspaces(context: StaffWorkspaces, request: Request) -> dict[str, Any] | Response:
    """All workspaces, archived or not."""
    return listed(
        request, queries.WORKSPACES, part="workspaces/list", heading="Workspaces", file="workspaces"
    )


@view_config(
    context=StaffWorkspace,
    permission=Permission.STAFF_AREA_VIEW,
    request_method="GET",
    renderer=f"{FOLDER}/detail.jinja2",
)
def detail(context: StaffWorkspace, request: Request) -> dict[str, Any]:
    """What is known of a workspace, and its newest job requests."""
    db, workspace, now = request.db, context.thing, utcnow()
    project = workspace.project
    return {
        **_frame(request, workspace),
        "project": project,
        "org": project.org,
        "repo": workspace.repo,
        "creator": db.get_one(User, workspace.created_by_id),
        "latest": latest_in(db, Workspace.id == workspace.id, limit=10),
        "late": releases(db, in_workspace(workspace.id) & late(now), with_files=True),
        "redirects": leading_to(db, workspace),
        "events": recent(db, "Workspace", workspace.id),
        "may_change": request.has_permission(Permission.STAFF_AREA_ACCESS),
        "public_url": page_url(request, *workspace.path),
        "now": now,
        "url": lambda *names: page_url(request, *names),
    }


@view_config(
    context=StaffWorkspace,
    name="edit",
    permission=Permission.STAFF_AREA_ACCESS,
    request_method="GET",
    renderer=EDIT,
)
def edit(context: StaffWorkspace, request: Request) -> dict[str, Any]:
    """The form with what is stored."""
    return _edit_page(request, context.thing, _stored(request, context.thing))


@view_config(
    context=StaffWorkspace,
    name="edit",
    permission=Permission.STAFF_AREA_ACCESS,
    request_method="POST",
    renderer=EDIT,
)
def save(context: StaffWorkspace, request: Request) -> dict[str, Any] | HTTPSeeOther:
    """Move and edit it, unless somebody else has changed it since the form was opened."""
    workspace = context.thing
    form = EditWorkspaceForm(texts(request.POST))
    if not form.validate():
        return _edit_page(request, workspace, form)
    typed = form.project.data or ""
    project = queries.project_called(request.db, typed)
    if project is None:
        alike = queries.projects_like(request.db, typed)
        more = "These are like it; enter the slug of one:" if alike else "None has these words in its name."
        form.project.errors = [f"No project has this slug or number. {more}"]
        return _edit_page(request, workspace, form, alike=alike)
    try:
        changed = actions.edit_by_staff(
            request.db,
            workspace,
            project=project,
            is_archived=bool(form.is_archived.data),
            purpose=form.purpose.data or "",
            seen=form.version.data or "",
            reason=form.reason.data or "",
            by=request.identity,
        )
    except ChangedMeanwhile:
        types = (AuditType.WORKSPACE_MOVED, AuditType.WORKSPACE_UPDATED)
        change = last_change(request.db, workspace, *types)
        conflict = overtaken(form, _stored(request, workspace), change)
        return _edit_page(request, workspace, form, conflict=conflict)
    say_saved(request, changed, workspace.name)
    return HTTPSeeOther(page_url(request, "staff", "workspaces", workspace.name))


def _stored(request: Request, workspace: Workspace) -> EditWorkspaceForm:
    return EditWorkspaceForm(
        project=request.db.get_one(Project, workspace.project_id).slug,
        is_archived=workspace.is_archived,
        purpose=workspace.purpose,
        version=changes.version(workspace, *actions.EDITABLE_BY_STAFF),
    )


def _edit_page(
    request: Request,
    workspace: Workspace,
    form: EditWorkspaceForm,
    *,
    alike: list[Project] | None = None,
    conflict: Conflict | None = None,
) -> dict[str, Any]:
    return {
        **_frame(request, workspace, "Edit"),
        "form": form,
        "alike": alike or [],
        "conflict": conflict,
    }


def _frame(request: Request, workspace: Workspace, *more: str) -> dict[str, Any]:
    here = page_url(request, "staff", "workspaces", workspace.name)
    return {
        "workspace": workspace,
        "here": here,
        "breadcrumbs": [
            ("Staff area", page_url(request, "staff")),
            ("Workspaces", page_url(request, "staff", "workspaces")),
            (workspace.name, here if more else None, "mono"),
            *((each, None) for each in more),
        ],
    }
