"""Who may do what, and which entry of which access list says so: ``/staff/access/``."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from pyramid.request import Request
from pyramid.view import view_config

from jobserver.forms.staff.access import AccessForm
from jobserver.models import User
from jobserver.queries.staff import access, things
from jobserver.resources import walking
from jobserver.resources.links import page_url
from jobserver.resources.staff import StaffAccess
from jobserver.resources.walking import NoSuchPlace, Place
from jobserver.security import explaining, sessions
from jobserver.security.explaining import Entry
from jobserver.security.permissions import Permission


@dataclass(frozen=True)
class Said:
    """An entry in words: for whom it is, and the path of the resource whose list it is in.

    ``way``: how the person comes; ``also``: by which programs they may have it done as well.
    """

    words: str
    path: str
    principal: str
    way: str = ""
    also: str = ""


@dataclass(frozen=True)
class Answer:
    """Whether somebody may do something, with what says so; or else with what would let them."""

    permission: Permission
    may: bool
    because: list[Said]
    is_asked: bool


@view_config(
    context=StaffAccess,
    permission=Permission.STAFF_AREA_VIEW,
    request_method="GET",
    renderer="jobserver:templates/staff/access/page.jinja2",
)
def explain(context: StaffAccess, request: Request) -> dict[str, Any]:
    """What a person may do at an address; or, without a person, who may do each thing there."""
    form = AccessForm(request.GET)
    person = place = None
    asked = any(each.data for each in form)
    if asked and form.validate():
        person, place = _person(request, form), _place(request, form)
    answered = place is not None and not form.errors
    found: dict[str, Any] = {"answers": [], "rows": [], "holders": {}}
    if answered and place and person:
        found |= _of_person(request, person, place, form.wanted)
    elif answered and place:
        found |= _of_place(request, place, form.wanted)
    return {
        "form": form,
        "place": place if answered else None,
        "person": person if answered else None,
        "url": lambda *names: page_url(request, *names),
        "here": request.path,
        "breadcrumbs": [("Staff area", page_url(request, "staff")), ("Who may do what", None)],
        **found,
    }


def _person(request: Request, form: AccessForm) -> User | None:
    found = things.user(request.db, form.user.data) if form.user.data else None
    if form.user.data and found is None:
        form.user.errors = [*form.user.errors, "Nobody has this username."]
    return found


def _place(request: Request, form: AccessForm) -> Place | None:
    try:
        return walking.find(request, form.address)
    except NoSuchPlace as fault:
        form.at.errors = [*form.at.errors, str(fault)]
        return None


def _of_person(request: Request, person: User, place: Place, wanted: Permission | None) -> dict[str, Any]:
    identity = sessions.identity_of(request.db, person.id)
    ways = explaining.ways(identity, is_disabled=person.disabled_at is not None)
    permissions = [wanted] if wanted else explaining.permissions(place.resource)
    decided = {
        permission: [
            (way, entry)
            for way, principals in ways.items()
            if (entry := explaining.decision(place.resource, principals, permission))
        ]
        for permission in permissions
    }
    needed = {
        permission: [("", entry) for entry in explaining.entries(place.resource, permission)]
        for permission, found in decided.items()
        if not found
    }
    names = _names(request, [*decided.values(), *needed.values()])
    return {
        "answers": [
            Answer(
                permission,
                bool(found),
                [_said(request, names, *each) for each in found or needed[permission]],
                permission in place.asks.values(),
            )
            for permission, found in decided.items()
        ],
        "identity": identity,
        "wanted": wanted,
    }


def _of_place(request: Request, place: Place, wanted: Permission | None) -> dict[str, Any]:
    permissions = [wanted] if wanted else explaining.permissions(place.resource)
    found = {
        permission: [("", entry) for entry in explaining.entries(place.resource, permission)]
        for permission in permissions
    }
    names = _names(request, found.values())
    principals = {entry.principal for each in found.values() for _, entry in each}
    return {
        "rows": [
            Answer(
                permission,
                bool(each),
                _together([_said(request, names, *one) for one in each]),
                permission in place.asks.values(),
            )
            for permission, each in found.items()
        ],
        "holders": dict(
            sorted(
                (names.words(principal), (principal, held))
                for principal, held in access.holders(request.db, principals).items()
            )
        ),
    }


def _names(request: Request, found: Iterable[list[tuple[str, Entry]]]) -> access.Names:
    return access.names(request.db, {entry.principal for each in found for _, entry in each})


def _said(request: Request, names: access.Names, way: str, entry: Entry) -> Said:
    path = request.resource_path(entry.level)
    return Said(names.words(entry.principal), path, entry.principal, way)


def _together(said: list[Said]) -> list[Said]:
    """Entries of one list for programs that act for somebody, beside the entry for the person."""
    own = {(each.principal, each.path) for each in said}
    also: dict[tuple[str, str], list[str]] = {}
    left = []
    for each in said:
        held, how = access.held_by(each.principal)
        if how and (held, each.path) in own:
            also.setdefault((held, each.path), []).append(how)
        else:
            left.append(each)
    return [replace(each, also=" and ".join(also.get((each.principal, each.path), []))) for each in left]
