"""Any list of the staff area, as a page and as a file."""

from typing import Any

from pyramid.httpexceptions import HTTPBadRequest, HTTPNotFound
from pyramid.request import Request
from pyramid.response import Response

from jobserver.forms.staff import lists as forms
from jobserver.forms.staff.lists import ListForm
from jobserver.http.downloads import csv_download
from jobserver.models import utcnow
from jobserver.queries.staff.listing import MOST_EXPORTED, Page, StaffList
from jobserver.resources.links import page_url

TEMPLATE = "jobserver:templates/staff/list.jinja2"


def listed(
    request: Request, listing: StaffList[Any], *, part: str, heading: str, file: str = "", **values: Any
) -> dict[str, Any] | Response:
    """One page of a list, or all of it as a file with ``format=csv``.

    ``part`` is the template of its rows, below ``staff`` unless it begins with a stroke; ``file`` is what the
    file is called. 404 for a page that the list does not have.
    """
    form = _form(request, listing)
    if request.GET.get("format") == "csv":
        return _file(request, listing, form, file or part)
    page: Page[Any] | None = Page([], [], 0, False, False)
    if not form.faults:
        page = listing.page(request.db, form.asked)
    if page is None:
        raise HTTPNotFound
    return {
        "part": f"{part[1:]}.jinja2" if part.startswith("/") else f"staff/{part}.jinja2",
        "heading": heading,
        "listing": listing,
        "form": form,
        "page": page,
        "rows": page.rows,
        "of": listing.count(request.db) if form.asked.is_narrowed else page.total,
        "steps": forms.steps(form, page),
        "chips": form.chips(listing),
        "sorts": [
            (each.label, form.sorted_by(each.name), each is listing.sort(form.asked))
            for each in listing.sorts
        ],
        "most": MOST_EXPORTED,
        "here": request.path,
        "now": utcnow(),
        "url": lambda *names: page_url(request, *names),
        "breadcrumbs": [("Staff area", page_url(request, "staff")), (heading, None)],
        **values,
    }


def _form(request: Request, listing: StaffList[Any]) -> ListForm:
    options = {each.name: each.options(request.db) for each in listing.filters if each.options}
    form = forms.read(request.GET.items(), listing, options)
    if form is None:
        raise HTTPNotFound
    return form


def _file(request: Request, listing: StaffList[Any], form: ListForm, name: str) -> Response:
    for field, fault in form.faults.items():
        raise HTTPBadRequest(f"{field}: {fault}")
    rows = listing.all_rows(request.db, form.asked)
    return csv_download(f"{name}.csv", listing.header, [listing.cells(row) for row in rows])
