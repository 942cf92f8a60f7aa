"""What the pages that edit something share: what was saved, and that somebody else was quicker."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pyramid.request import Request
from wtforms import HiddenField
from wtforms.form import BaseForm

from jobserver.queries.changes import Change
from jobserver.templating.times import LONDON

# What is not kept with the thing that is edited.
_BESIDE = {"reason", "take_over", "own"}
Row = tuple[str, str, str]


@dataclass(frozen=True)
class Conflict:
    """The other person's change, if it is known, and each field that differs: label, as it is now, yours."""

    change: Change | None
    rows: Sequence[Row]


def overtaken(
    form: BaseForm, stored: BaseForm, change: Change | None, rows: Sequence[Row] | None = None
) -> Conflict:
    """Say on the form that nothing was saved. Sent again, it replaces what is stored.

    ``stored`` is the form as it opens now. ``rows``: what differs, if its fields do not say that themselves.
    """
    who = change.who if change else "Somebody"
    form.form_errors.append(f"{who} has changed this since you opened this page. Nothing was saved.")
    form["version"].data = stored["version"].data
    return Conflict(change, _differences(stored, form) if rows is None else rows)


def _differences(stored: BaseForm, form: BaseForm) -> list[Row]:
    rows = [
        (field.label.text, _in_words(stored[field.name]), _in_words(field))
        for field in form
        if field.name not in _BESIDE and not isinstance(field, HiddenField)
    ]
    return [row for row in rows if row[1] != row[2]]


def _in_words(field: Any) -> str:
    """What a field holds, as people read it."""
    data = getattr(field.data, "filename", field.data)
    if hasattr(field, "choices"):
        chosen = data if isinstance(data, list) else [data]
        return ", ".join(each.label for each in field.choices if each.value and each.value in chosen)
    if isinstance(data, bool):
        return "Yes" if data else "No"
    if isinstance(data, datetime):
        return f"{data.astimezone(LONDON):%Y-%m-%d %H:%M}"
    return str(data or "")


def say_saved(request: Request, changed: bool, what: str) -> None:
    """Say on the next page that ``what`` was saved, or that it was so already."""
    if changed:
        request.flash("success", f"Saved {what}.")
    else:
        request.flash("info", "Nothing was changed.")
