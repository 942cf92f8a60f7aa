"""What the address of a list of the staff area asks for (spec: staff 1.3, 17.40, 17.41).

All of it is in the address, in one form: no filter drops another. A value that cannot be meant is kept and
said beside its field, and nothing is shown until it is mended.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from jobserver.queries.path import as_id
from jobserver.queries.staff.listing import Asked, Option, Page, StaffList

LONGEST, MOST = 200, 20
# What is about one answer and not about the list.
PASSING = frozenset({"page", "after", "before", "format"})


@dataclass(frozen=True)
class ListForm:
    """What was asked for, and what is wrong with it. ``options`` by filter, where it offers any."""

    asked: Asked
    kept: Sequence[tuple[str, str]] = ()
    faults: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Sequence[Option]] = field(default_factory=dict)

    def chosen(self, name: str) -> Sequence[str]:
        """The values chosen of a filter."""
        return self.asked.values.get(name, ())

    def chips(self, listing: StaffList[object]) -> list[tuple[str, str]]:
        """Each thing that narrows the list, in words, with the address without it."""
        found = []
        labels = {each.name: each.label for each in listing.filters}
        for name, value in self.kept:
            if name == "q":
                found.append((f"Search: {value[:40]}", self._without(name, value)))
            elif name in labels:
                known = {option.value: option.label for option in self.options.get(name, ())}
                found.append((f"{labels[name]}: {known.get(value, value)[:40]}", self._without(name, value)))
        return found

    def sorted_by(self, name: str) -> str:
        """The address in which the rows stand in this order."""
        return f"?{urlencode([*[pair for pair in self.kept if pair[0] != 'sort'], ('sort', name)])}"

    def with_(self, **more: object) -> str:
        """The address of another answer about the same: a page, or a file."""
        return f"?{urlencode([*self.kept, *more.items()])}"

    def _without(self, name: str, value: str) -> str:
        return f"?{urlencode([pair for pair in self.kept if pair != (name, value)])}"


@dataclass(frozen=True)
class Steps:
    """The way to the other pages: addresses, empty where there is none."""

    first: str = ""
    previous: str = ""
    next: str = ""
    last: str = ""


def steps(form: ListForm, page: Page[object]) -> Steps:
    """Where the pages around this one are."""
    back, on = page.has_previous and page.ids, page.has_next and page.ids
    return Steps(
        first=form.with_() if page.has_previous else "",
        previous=form.with_(before=page.ids[0]) if back else "",
        next=form.with_(after=page.ids[-1]) if on else "",
        last=form.with_(page="last") if page.has_next else "",
    )


def read(
    pairs: Iterable[tuple[str, str]], listing: StaffList[object], options: Mapping[str, Sequence[Option]]
) -> ListForm | None:
    """The form that an address fills; None if it asks for a page that no list has."""
    kept: list[tuple[str, str]] = []
    values: dict[str, list[str]] = {}
    passing: dict[str, str] = {}
    filters = {each.name for each in listing.filters}
    for name, given in pairs:
        value = given.replace("\0", "").strip()
        if name in PASSING:
            passing[name] = value
            continue
        pair = (name, value)
        if not value or pair in kept or name not in {*filters, "q", "sort"}:
            continue
        if name in filters:
            if len(values.get(name, ())) >= MOST:
                continue
            values.setdefault(name, []).append(value)
        elif any(name == other for other, _ in kept):
            continue
        kept.append(pair)
    page = _page(passing)
    if page is None:
        return None
    q, sort = dict(kept).get("q", ""), dict(kept).get("sort", "")
    asked = Asked(q=q, values=values, sort=sort, **page)  # type: ignore[arg-type]
    return ListForm(asked, kept, _faults(asked, listing, options), options)


def _page(passing: Mapping[str, str]) -> dict[str, object] | None:
    for name in ("after", "before"):
        if passing.get(name):
            neighbour = as_id(passing[name])
            return {name: neighbour} if neighbour else None
    wanted = passing.get("page", "")
    if wanted in {"", "last"}:
        return {"page": wanted or None}
    number = as_id(wanted)
    return {"page": number} if number and number <= 100_000 else None


def _faults(
    asked: Asked, listing: StaffList[object], options: Mapping[str, Sequence[Option]]
) -> dict[str, str]:
    found = {}
    checks = {each.name: each.fault for each in listing.filters if each.fault}
    if len(asked.q) > LONGEST:
        found["q"] = "Shorten this to 200 characters or fewer."
    for name, values in asked.values.items():
        if max(map(len, values)) > LONGEST:
            found[name] = "Shorten this to 200 characters or fewer."
        elif name in options and not set(values) <= {option.value for option in options[name]}:
            found[name] = "Choose among those listed here."
        elif fault := next(filter(None, map(checks.get(name, _fine), values)), ""):
            found[name] = fault
    if asked.sort and asked.sort not in {each.name for each in listing.sorts}:
        found["sort"] = "Choose one of the orders listed here."
    return found


def _fine(_value: str) -> str:
    return ""
