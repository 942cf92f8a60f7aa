"""Release requests: where each stands, whose turn it is, and what happened to it (spec: airlock 12.50)."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from pyramid.request import Request
from pyramid.view import view_config

from jobserver.models import ReleaseRequest, utcnow
from jobserver.models.choices import ReleaseRequestState
from jobserver.queries import release_request_lists as queries
from jobserver.queries.release_requests import Channel, HistoryEvent, Whose, history, whose_turn
from jobserver.queries.releases import release_by_id
from jobserver.resources import Root
from jobserver.resources.links import page_url, view_url
from jobserver.resources.outputs import ReleaseRequestResource, ReleaseRequests
from jobserver.security.permissions import Permission
from jobserver.templating.states import RELEASE_REQUEST_STATES as STATES
from jobserver.templating.states import WHOSE_TURN
from jobserver.views.job_requests import breadcrumbs
from jobserver.views.releases import pager_of
from jobserver.views.tabs import tabs

LIST = "jobserver:templates/release_requests/list.jinja2"
CHANNELS = {Channel.ISSUE: "GitHub issue", Channel.SLACK: "Slack", Channel.MAIL: "Email to the author"}


@view_config(
    context=Root,
    name="release-requests",
    permission=Permission.ACCOUNT,
    request_method="GET",
    renderer=LIST,
)
def all_requests(context: Root, request: Request) -> dict[str, Any]:
    """Those of the reader, and those that their roles let them see."""
    mine = request.GET.get("whose") == "mine"
    chosen = queries.by(request.identity.user_id) if mine else queries.visible(request.identity)
    return {
        **_listed(request, chosen),
        "heading": "Release requests",
        "scope": "all",
        "toggles": [
            {"label": label, "href": _query(request, whose=value), "current": mine == bool(value)}
            for value, label in (("", "All that you may see"), ("mine", "Yours"))
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


def _listed(request: Request, chosen: Any) -> dict[str, Any]:
    """What the filters let through. Words in the address that name no state are as if they were not there."""
    states = [each for each in request.GET.getall("state") if each in STATES]
    turns = [each for each in request.GET.getall("turn") if each in WHOSE_TURN]
    wanted = chosen & queries.narrowed(states, turns)
    total = queries.number_of_requests(request.db, wanted)
    pager = pager_of(request, total, queries.PAGE)
    return {
        "total": total,
        "pager": pager,
        "rows": queries.requests(request.db, wanted, offset=pager.offset),
        "states": states,
        "turns": turns,
        "offered_states": [(state.value, STATES[state].word) for state in ReleaseRequestState],
        "offered_turns": [(whose.value, WHOSE_TURN[whose]) for whose in Whose],
        "chips": [
            *[(f"State: {STATES[each].word}", _without(request, "state", each)) for each in states],
            *[(WHOSE_TURN[each], _without(request, "turn", each)) for each in turns],
        ],
        "clear_url": _query(request, state=None, turn=None),
        "whose": request.GET.get("whose", ""),
        "here": request.path,
        "now": utcnow(),
        "url": lambda *names: page_url(request, *names),
    }


def _query(request: Request, **changes: str | None) -> str:
    """The address of this list with other parameters; "" and None leave one out."""
    kept = [pair for pair in request.GET.items() if pair[0] not in {*changes, "page"}]
    added = [(name, value) for name, value in changes.items() if value]
    return _address(request, [*kept, *added])


def _without(request: Request, name: str, value: str) -> str:
    pairs = [pair for pair in request.GET.items() if pair != (name, value) and pair[0] != "page"]
    return _address(request, pairs)


def _address(request: Request, pairs: Sequence[tuple[str, str]]) -> str:
    return f"{request.path}?{urlencode(pairs)}" if pairs else str(request.path)


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
    names = (context.org.slug, context.project.slug, context.workspace.name)
    return page_url(request, *names, "releases", found.id)
