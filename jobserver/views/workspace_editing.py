"""Changing a workspace: its purpose, whether it is archived, what it suggests about emails.

Spec: pages 15.3 and 15.4.
"""

from dataclasses import dataclass
from typing import Any

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.view import view_config

from jobserver.actions import changes
from jobserver.actions import workspaces as actions
from jobserver.actions.versions import ChangedMeanwhile
from jobserver.forms.workspaces import EditWorkspaceForm
from jobserver.models import AuditType
from jobserver.queries.changes import Change, last_change
from jobserver.resources import WorkspaceResource
from jobserver.resources.links import view_url
from jobserver.security.permissions import Permission
from jobserver.views.breadcrumbs import breadcrumbs
from jobserver.views.fields import says_yes, texts

EDIT = "jobserver:templates/workspace/edit.jinja2"
CONFIRM = "jobserver:templates/workspace/confirm.jinja2"


@view_config(
    context=WorkspaceResource,
    name="edit",
    permission=Permission.WORKSPACE_CREATE,
    request_method="GET",
    renderer=EDIT,
)
def edit(context: WorkspaceResource, request: Request) -> dict[str, Any]:
    """The form with the purpose as it is."""
    return _edit_page(context, request, EditWorkspaceForm(purpose=context.workspace.purpose))


@view_config(
    context=WorkspaceResource,
    name="edit",
    permission=Permission.WORKSPACE_CREATE,
    request_method="POST",
    renderer=EDIT,
)
def save(context: WorkspaceResource, request: Request) -> dict[str, Any] | HTTPSeeOther:
    """Keep the purpose, unless somebody else has changed it since the form was opened."""
    workspace = context.workspace
    form = EditWorkspaceForm(texts(request.POST))
    if not form.validate():
        return _edit_page(context, request, form, seen=form.version.data)
    purpose, seen = form.purpose.data or "", form.version.data or ""
    try:
        actions.edit_purpose(request.db, workspace, purpose, seen=seen, by=request.identity)
    except ChangedMeanwhile:
        change = last_change(request.db, workspace, AuditType.WORKSPACE_UPDATED, fields=["purpose"])
        who = change.who if change else "Somebody"
        form.purpose.errors = [
            f"{who} has changed the purpose since you opened this page. Nothing was saved."
        ]
        return _edit_page(context, request, form, theirs=workspace.purpose, change=change)
    request.flash("success", f"Saved the purpose of {workspace.name}.")
    return HTTPSeeOther(view_url(request, context))


def _edit_page(
    context: WorkspaceResource,
    request: Request,
    form: EditWorkspaceForm,
    *,
    seen: str | None = None,
    theirs: str | None = None,
    change: Change | None = None,
) -> dict[str, Any]:
    form.version.data = seen or changes.version(context.workspace, "purpose")
    return {**_frame(context, request, "Edit"), "form": form, "theirs": theirs, "change": change}


@dataclass(frozen=True)
class Toggle:
    """One thing that can be on or off: the words for both, and for having been so already."""

    field: str
    view: str
    titles: tuple[str, str]
    acts: tuple[str, str]
    done: tuple[str, str]
    already: tuple[str, str]


# Off, on.
ARCHIVE = Toggle(
    field="is_archived",
    view="archive-toggle",
    titles=("Unarchive {}?", "Archive {}?"),
    acts=("Unarchive workspace", "Archive workspace"),
    done=(
        "Unarchived {}. Jobs can be run in it again.",
        "Archived {}. Nothing new can be run in it; jobs that are running go on.",
    ),
    already=("{} is not archived. Nothing was changed.", "{} is archived already. Nothing was changed."),
)
NOTIFICATIONS = Toggle(
    field="should_notify",
    view="notifications-toggle",
    titles=("Suggest no emails in {}?", "Suggest emails in {}?"),
    acts=("Suggest no emails", "Suggest emails"),
    done=(
        "New requests in {} no longer suggest an email when they end.",
        "New requests in {} now suggest an email when they end.",
    ),
    already=(
        "Requests in {} suggest no email already. Nothing was changed.",
        "Requests in {} suggest an email already. Nothing was changed.",
    ),
)


@view_config(
    context=WorkspaceResource,
    name="archive-toggle",
    permission=Permission.WORKSPACE_ARCHIVE,
    request_method="GET",
    renderer=CONFIRM,
)
def confirm_archive(context: WorkspaceResource, request: Request) -> dict[str, Any]:
    """The question, for whoever follows the link that undoes, or has no script."""
    return _confirm(context, request, ARCHIVE, context.workspace.is_archived)


@view_config(
    context=WorkspaceResource,
    name="archive-toggle",
    permission=Permission.WORKSPACE_ARCHIVE,
    request_method="POST",
)
def archive(context: WorkspaceResource, request: Request) -> HTTPSeeOther:
    """Archive or unarchive: the field names the state that is wanted, so sending it twice is harmless."""
    wanted = says_yes(request.POST.get(ARCHIVE.field))
    changed = actions.set_archived(request.db, context.workspace, wanted, by=request.identity)
    return _done(context, request, ARCHIVE, wanted, changed=changed)


@view_config(
    context=WorkspaceResource,
    name="notifications-toggle",
    permission=Permission.WORKSPACE_TOGGLE_NOTIFICATIONS,
    request_method="GET",
    renderer=CONFIRM,
)
def confirm_notifications(context: WorkspaceResource, request: Request) -> dict[str, Any]:
    """The question, for whoever follows the link that undoes."""
    return _confirm(context, request, NOTIFICATIONS, context.workspace.should_notify)


@view_config(
    context=WorkspaceResource,
    name="notifications-toggle",
    permission=Permission.WORKSPACE_TOGGLE_NOTIFICATIONS,
    request_method="POST",
)
def notifications(context: WorkspaceResource, request: Request) -> HTTPSeeOther:
    """Choose what new requests suggest; the field names the state that is wanted."""
    wanted = says_yes(request.POST.get(NOTIFICATIONS.field))
    changed = actions.set_notifications(request.db, context.workspace, wanted, by=request.identity)
    return _done(context, request, NOTIFICATIONS, wanted, changed=changed)


def _done(
    context: WorkspaceResource, request: Request, toggle: Toggle, wanted: bool, *, changed: bool
) -> HTTPSeeOther:
    name = context.workspace.name
    if changed:
        undo = view_url(request, context, toggle.view, query={toggle.field: "" if wanted else "True"})
        request.flash("success", toggle.done[wanted].format(name), undo, "Undo…")
    else:
        request.flash("info", toggle.already[wanted].format(name))
    return HTTPSeeOther(view_url(request, context))


def _confirm(context: WorkspaceResource, request: Request, toggle: Toggle, now: bool) -> dict[str, Any]:
    """The question whether to switch to the other state, or to the one that the address names."""
    named = request.GET.get(toggle.field)
    wanted = not now if named is None else says_yes(named)
    name = context.workspace.name
    return {
        **_frame(context, request, toggle.acts[wanted]),
        "is_already_so": wanted == now,
        "title": toggle.titles[wanted].format(name),
        "already": toggle.already[wanted].format(name),
        "act": toggle.acts[wanted],
        "action": view_url(request, context, toggle.view),
        "fields": {toggle.field: "True" if wanted else ""},
        "explains": ("archive" if wanted else "unarchive") if toggle is ARCHIVE else "emails",
    }


def _frame(context: WorkspaceResource, request: Request, here: str) -> dict[str, Any]:
    return {
        "workspace": context.workspace,
        "workspace_url": view_url(request, context),
        "breadcrumbs": breadcrumbs(context, request, (here, None)),
    }
