"""The page of a list that an address asks for (spec: pages 3.3)."""

from collections.abc import Sequence

from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request

from jobserver.forms.narrowing import Narrowing
from jobserver.templating.pager import Pager, page_number


def pager_of(request: Request, total: int, size: int, kept: Sequence[tuple[str, str]] | None = None) -> Pager:
    """The page that the address asks for; 404 if the list does not have it.

    ``kept``: the parameters that links to other pages keep; without it, all that the address has.
    """
    number = page_number(request.GET.get("page"), total, size)
    if number is None:
        raise HTTPNotFound
    return Pager(number, total, size, list(request.GET.items()) if kept is None else kept)


def pager_of_narrowed(request: Request, form: Narrowing, total: int, size: int) -> Pager:
    """The same of a narrowed list: the only, empty page while the form says what is wrong."""
    return Pager(1, 0, size) if form.faults else pager_of(request, total, size, form.kept)
