"""Which mails one gets, by kind and by workspace."""

from typing import Any

from pyramid.httpexceptions import HTTPBadRequest, HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from jobserver.actions import mail_preferences as actions
from jobserver.forms.settings import NotificationsForm
from jobserver.queries import mail_preferences as queries
from jobserver.resources import SettingsResource, WorkspaceResource
from jobserver.resources.links import page_url, view_url
from jobserver.security.permissions import Permission
from jobserver.views.breadcrumbs import breadcrumbs
from jobserver.views.pages import pager_of
from jobserver.views.settings.frame import back, frame, posted

TAB = "notifications"


@view_config(
    context=SettingsResource,
    name=TAB,
    permission=Permission.ACCOUNT,
    request_method=("GET", "POST"),
    renderer="jobserver:templates/settings/notifications.jinja2",
    http_cache=0,
)
def notifications(context: SettingsResource, request: Request) -> Response | dict[str, Any]:
    """Choices for each kind of mail, and the workspaces with their switches."""
    me = request.identity
    now_chosen = queries.choices(request.db, me.user_id)
    stored = {kind.value: choice.value for kind, choice in now_chosen.items()}
    form = NotificationsForm(posted(request), data=stored)
    if request.method == "POST" and form.validate():
        actions.choose(request.db, me.user_id, form.choices)
        request.flash("success", "Your choices are saved. They hold for requests that run now as well.")
        return back(context, request, TAB)
    pages = pager_of(request, queries.number_of_workspaces(request.db, me), queries.PAGE)
    return {
        **frame(context, request, TAB),
        "form": form,
        "workspaces": queries.workspaces(request.db, me, limit=pages.size, offset=pages.offset),
        "paging": pages,
        "url": lambda *names: page_url(request, *names),
    }


@view_config(
    context=SettingsResource, name="mute", permission=Permission.ACCOUNT, request_method="POST", http_cache=0
)
def mute_in_list(context: SettingsResource, request: Request) -> Response:
    """Switch the mails about one of the listed workspaces, and stay on the list."""
    workspace = queries.workspace_named(request.db, request.POST.get("workspace", ""))
    if workspace is None:
        raise HTTPBadRequest("The form field workspace names no workspace.")
    _switch(request, workspace.id, workspace.name)
    page = request.POST.get("page", "")
    return back(context, request, TAB, {"page": page} if page.isascii() and page.isdigit() else None)


@view_config(
    context=WorkspaceResource,
    name="mute-toggle",
    permission=Permission.ACCOUNT,
    request_method="GET",
    renderer="jobserver:templates/settings/mute.jinja2",
    http_cache=0,
)
def ask_to_mute(context: WorkspaceResource, request: Request) -> dict[str, Any]:
    """Where "Undo" leads: the button for what is not so now. Looking at it changes nothing."""
    return {
        "workspace": context.workspace,
        "is_muted": queries.is_muted(request.db, request.identity.user_id, context.workspace.id),
        "workspace_url": view_url(request, context),
        "breadcrumbs": breadcrumbs(context, request, ("Your emails", None)),
    }


@view_config(
    context=WorkspaceResource,
    name="mute-toggle",
    permission=Permission.ACCOUNT,
    request_method="POST",
    http_cache=0,
)
def mute(context: WorkspaceResource, request: Request) -> Response:
    """Switch the mails about this workspace off (``muted`` is "True") or on ("")."""
    undo = view_url(request, context, "mute-toggle")
    _switch(request, context.workspace.id, context.workspace.name, undo)
    return HTTPSeeOther(view_url(request, context))


def _switch(request: Request, workspace_id: int, name: str, undo: str = "") -> None:
    wanted = request.POST.get("muted")
    if wanted not in {"True", ""}:
        raise HTTPBadRequest("The form field muted must be True or empty.")
    if wanted:
        actions.mute(request.db, request.identity.user_id, workspace_id)
        words = f"You get no more emails about requests in {name}."
    else:
        actions.unmute(request.db, request.identity.user_id, workspace_id)
        words = f"You get emails about requests in {name} again, as your settings say."
    request.flash("success", words, undo, "Undo" if undo else "")
