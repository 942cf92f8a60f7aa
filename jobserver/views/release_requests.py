"""Release requests: where each stands, whose turn it is, and what happened to it (spec: airlock 12.50)."""

from collections.abc import Sequence
from typing import Any

from pyramid.request import Request
from pyramid.view import view_config

from jobserver.forms import narrowing
from jobserver.forms.narrowing import Field
from jobserver.models import ReleaseRequest, utcnow
from jobserver.queries import release_request_lists as queries
from jobserver.queries.release_requests import Channel, HistoryEvent, history, whose_turn
from jobserver.queries.releases import release_by_id
from jobserver.resources import Root
from jobserver.resources.links import page_url, view_url
from jobserver.resources.outputs import ReleaseRequestResource, ReleaseRequests
from jobserver.security.permissions import Permission
from jobserver.templating.states import RELEASE_REQUEST_STATES as STATES
from jobserver.templating.states import WHOSE_TURN
from jobserver.views.breadcrumbs import breadcrumbs
from jobserver.views.pages import pager_of_narrowed
from jobserver.views.tabs import tabs

LIST = "jobserver:templates/release_requests/list.jinja2"
CHANNELS = {Channel.ISSUE: "GitHub issue", Channel.SLACK: "Slack", Channel.MAIL: "Email to the author"}
FIELDS = (
    Field("state", "State", {state: shown.word for state, shown in STATES.items()}),
    Field("turn", "Whose turn", WHOSE_TURN),
)


@view_config(
    context=Root,
    name="release-requests",
    permission=Permission.ACCOUNT,
    request_method="GET",
    renderer=LIST,
)
def all_requests(context: Root, request: Request) -> dict[str, Any]:
    """Those of the reader, and those that their roles let them see."""
    listed = _listed(request, queries.visible(request.identity), Field("whose", "Whose", {"mine": "Yours"}))
    mine = ("whose", "mine")
    rest = [pair for pair in listed["form"].kept if pair[0] != mine[0]]
    return {
        **listed,
        "heading": "Release requests",
        "scope": "all",
        "toggles": [
            {
                "label": label,
                "href": page_url(request, "release-requests", query=query),
                "current": (mine in listed["form"].kept) == (mine in query),
            }
            for label, query in (("All that you may see", rest), ("Yours", [*rest, mine]))
        ],
        "tabs": [],
        "breadcrumbs": [("Release requests", None)],
    }


@view_config(context=ReleaseRequests, permission=Permission.ACCOUNT, request_method="GET", renderer=LIST)
def requests_of_workspace(context: ReleaseRequests, request: Request) -> dict[str, Any]:
    """Those of a workspace that the reader may see."""
    here = queries.in_workspace(context.workspace.id) & queries.visible(request.identity)
    return {
        **_listed(request, here),
        "heading": context.workspace.name,
        "scope": "workspace",
        "toggles": [],
        "tabs": tabs(request, context),
        "breadcrumbs": breadcrumbs(context, request, ("Release requests", None)),
    }


def _listed(request: Request, place: Any, *more: Field) -> dict[str, Any]:
    """One page of the requests that the address lets through, of those that the reader may see here."""
    db = request.db
    form = narrowing.read(request.GET.items(), [*FIELDS, *more])
    wanted = place & queries.narrowed(form.chosen("state"), form.chosen("turn"))
    if form.chosen("whose"):
        wanted &= queries.by(request.identity.user_id)
    of = total = queries.number_of_requests(db, place)
    if form.is_narrowed:
        total = 0 if form.faults else queries.number_of_requests(db, wanted)
    pager = pager_of_narrowed(request, form, total, queries.PAGE)
    return {
        "form": form,
        "pager": pager,
        "total": total,
        "of": of,
        "rows": queries.requests(db, wanted, offset=pager.offset) if total else [],
        "here": request.path,
        "now": utcnow(),
        "url": lambda *names: page_url(request, *names),
    }


@view_config(
    context=ReleaseRequestResource,
    permission=Permission.UNRELEASED_OUTPUTS_VIEW,
    request_method="GET",
    renderer="jobserver:templates/release_requests/page.jinja2",
)
def release_request(context: ReleaseRequestResource, request: Request) -> dict[str, Any]:
    """One release request."""
    row = context.release_request
    happened = history(request.db, row.id)
    return {
        "asked": row,
        "state": STATES[row.state],
        "whose": whose_turn(row.state),
        "waits_for": WHOSE_TURN[whose_turn(row.state)],
        "history": list(reversed(happened)),
        "under_way": _under_way(happened),
        "channels": CHANNELS,
        "states": STATES,
        "release_url": _release_url(context, request, row),
        "is_author": request.identity.user_id == row.author_id,
        "now": utcnow(),
        "url": lambda *names: page_url(request, *names),
        "tabs": tabs(request, context),
        "breadcrumbs": breadcrumbs(
            context,
            request,
            ("Release requests", view_url(request, context.__parent__)),
            (row.id, None, "mono"),
        ),
    }


def _under_way(happened: Sequence[HistoryEvent]) -> Sequence[tuple[HistoryEvent, str]]:
    """The notifications that have not gone out yet."""
    return [
        (event, CHANNELS[each.channel])
        for event in happened
        for each in event.notifications
        if each.at is None
    ]


def _release_url(context: ReleaseRequestResource, request: Request, row: ReleaseRequest) -> str | None:
    """Where its release is, for those who may see released files; None if there is none."""
    if not request.has_permission(Permission.RELEASE_FILE_VIEW):
        return None
    found = release_by_id(request.db, row.id)
    if found is None or found.workspace_id != row.workspace_id:
        return None
    return page_url(request, *context.workspace.path, "releases", found.id)
