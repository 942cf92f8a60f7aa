"""What two pages about a person share: the boxes of backends and of organisations, and saving them."""

from typing import Any

from pyramid.request import Request

from jobserver.actions import affiliations
from jobserver.actions.affiliations import BACKENDS, Kind
from jobserver.actions.versions import ChangedMeanwhile
from jobserver.forms.staff.affiliations import AffiliationsForm
from jobserver.models import User
from jobserver.queries.changes import last_change_to
from jobserver.queries.staff import user as queries
from jobserver.views.staff.editing import Conflict, overtaken, say_saved


def form_of(request: Request, user: User, kind: Kind, sent: Any = None) -> AffiliationsForm:
    """A box for each place, those ticked that the person is a member of, unless something was ``sent``."""
    if kind is BACKENDS:
        places = queries.backends(request.db, user)
        return AffiliationsForm("backends", "Backends", places, {each.id: each.slug for each in places}, sent)
    places = queries.orgs(request.db, user)
    return AffiliationsForm("orgs", "Organisations", places, {each.id: str(each.id) for each in places}, sent)


def save(request: Request, user: User, kind: Kind, form: AffiliationsForm) -> Conflict | None:
    """Make the person a member of what was ticked, unless somebody else has changed that meanwhile."""
    try:
        changed = affiliations.set_all(
            request.db,
            kind,
            user,
            form.wanted,
            by=request.identity,
            seen=form["version"].data or "",
            reason=form["reason"].data or "",
        )
    except ChangedMeanwhile:
        stored = form_of(request, user, kind)
        change = last_change_to(request.db, user, kind.added, kind.removed, kind.updated)
        return overtaken(form, stored, change, form.differences(stored.held))
    say_saved(request, changed, f"the {form[form.name].label.text.lower()} of {user.username}")
    return None
