"""Two versions of a released file side by side (spec: pages 30.8 no. 74)."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request
from pyramid.view import view_config

from jobserver.clients.storage import FileMissing
from jobserver.contents import compare as contents
from jobserver.contents.alignment import Shown
from jobserver.contents.compare import Compared, Wanted
from jobserver.contents.compare_lines import shown_lines
from jobserver.contents.compare_rows import Table
from jobserver.contents.forms import Form, form_of
from jobserver.queries import releases as queries
from jobserver.queries.versions import Version, versions_of
from jobserver.resources.links import page_url, view_url
from jobserver.resources.outputs import ReleaseFileResource
from jobserver.security.permissions import Permission
from jobserver.templating.numbers import count
from jobserver.views.breadcrumbs import breadcrumbs
from jobserver.views.fields import says_yes
from jobserver.views.files import note_read, opened, read_by
from jobserver.views.pages import pager_of
from jobserver.views.releases import title
from jobserver.views.tabs import tabs

PAGE = 500
# A page beyond this there is none, whatever is compared.
MOST_PAGES = 10_000
MOST_NAMES = 20
SIGNS = {"same": "", "changed": "≠", "added": "+", "removed": "−"}
OTHER = "There is no other version of this file here. Choose one on the page of a version."


@view_config(
    context=ReleaseFileResource,
    name="compare",
    permission=Permission.RELEASE_FILE_VIEW,
    request_method="GET",
    renderer="jobserver:templates/viewer/compare.jinja2",
)
def compare_files(context: ReleaseFileResource, request: Request) -> dict[str, Any]:
    """This version of a file and another, the earlier one first: ``with``, or the one before."""
    versions = versions_of(request.db, context.file)
    here = next(each for each in versions if each.id == context.file.id)
    other = _other(request, versions, here)
    # Newest first, so the later in the list is the earlier one.
    before, after = sorted([here, other], key=versions.index, reverse=True) if other else (None, here)
    place = (*context.workspace.path, "releases")
    return {
        "workspace": context.workspace,
        "file": context.file,
        "base": context.file.name.rpartition("/")[2],
        "here": here,
        "others": [each for each in versions if each != here],
        "other": other,
        "before": before,
        "after": after,
        "version_url": lambda each, *names: page_url(request, *place, each.release_id, each.id, *names),
        "compare_url": view_url(request, context, "compare"),
        "most_bytes": contents.MOST_BYTES,
        "pager": None,
        "why": "",
        "is_error": False,
        "header": request.GET.get("header") != "0",
        **(_compared(context, request, before, after) if before else {}),
        "tabs": tabs(request, context),
        "breadcrumbs": breadcrumbs(
            context,
            request,
            ("Releases", page_url(request, *place)),
            (title(here.released_at), page_url(request, *place, here.release_id)),
            (context.file.name, view_url(request, context)),
            ("Compare", None),
        ),
    }


def _other(request: Request, versions: Sequence[Version], here: Version) -> Version | None:
    """What to compare with; None if there is only one version. 404 for a file that is none of them."""
    others = [each for each in versions if each != here]
    wanted = request.GET.get("with", "")
    if wanted:
        found = next((each for each in others if each.id == wanted), None)
        if found is None:
            raise HTTPNotFound(OTHER)
        return found
    older = versions[versions.index(here) + 1 :]
    return next((each for each in older if each.is_readable), None) or next(
        iter([*older, *others[::-1]]), None
    )


def _compared(
    context: ReleaseFileResource, request: Request, before: Version, after: Version
) -> dict[str, Any]:
    """What the two have in common and not, as the template shows it: ``way`` says how."""
    gone = [each for each in (before, after) if not each.is_readable]
    if gone:
        return {"way": "missing", "why": _why_gone(gone[0], before)}
    if before.sha256 == after.sha256:
        return {"way": "identical"}
    if form_of(context.file.name) is Form.PICTURE:
        return {"way": "pictures"}
    if not contents.is_comparable(context.file.name, (before.size, after.size)):
        return {"way": "other", "is_large": contents.is_comparable(context.file.name, (0,))}
    return _contents(context, request, before, after)


def _why_gone(version: Version, before: Version) -> str:
    which = "earlier" if version == before else "later"
    return f"The {which} version {'was redacted' if version.deleted_at else 'has not arrived'}."


def _contents(
    context: ReleaseFileResource, request: Request, before: Version, after: Version
) -> dict[str, Any]:
    kept = [(name, value) for name, value in request.GET.items() if name in {"with", "all", "header"}]
    pager = pager_of(request, MOST_PAGES * PAGE, PAGE, kept)
    wanted = Wanted(
        offset=pager.offset,
        limit=PAGE,
        everything=says_yes(request.GET.get("all")),
        header=request.GET.get("header") != "0",
    )
    found = _read(context, request, before, after, wanted)
    if isinstance(found, str):
        return {"way": "missing", "why": found, "is_error": True}
    if found.shown is None:
        return {"way": "other", "why": found.why, "is_large": False}
    if pager.page > 1 and wanted.offset >= found.shown.total:
        raise HTTPNotFound
    return {
        "way": "table" if found.table else "lines",
        "found": found,
        "shown": found.shown,
        "table": found.table,
        "lines": [] if found.table else shown_lines(found.shown.items),
        "sentence": sentence(found.shown, found.table),
        "columns": _columns(found.table) if found.table else [],
        "shows_all": wanted.everything and found.short,
        "pager": replace(pager, total=found.shown.total),
        "signs": SIGNS,
        "url_with": lambda **changes: _with(kept, changes),
    }


def _read(
    context: ReleaseFileResource, request: Request, before: Version, after: Version, wanted: Wanted
) -> Compared | str:
    """Open both and compare them; a sentence if one is not where it should be."""
    with ExitStack() as stack:
        streams = []
        for each in (before, after):
            is_here = each.id == context.file.id
            row = context.file if is_here else queries.file_by_id(request.db, each.id)
            if row is None:
                raise HTTPNotFound
            try:
                streams.append(stack.enter_context(opened(request.clients.storage, row)))
            except FileMissing:
                which = "earlier" if each == before else "later"
                return f"The {which} version should be here and is not. Support has to look for it."
            note_read(read_by(request), row, "compare")
        return contents.compare(context.file.name, streams[0], streams[1], wanted)


def _with(kept: Sequence[tuple[str, str]], changes: Mapping[str, str]) -> str:
    """The same comparison with other parameters; empty ones are left out."""
    given = {**dict(kept), **changes}
    return f"?{urlencode({name: value for name, value in given.items() if value})}"


def sentence(shown: Shown, table: Table | None) -> str:
    """How much differs: "12 of 340 rows changed, 1 was added."."""
    thing = "row" if table else "line"
    if not shown.differing:
        if table and table.moved:
            return "The rows are the same, in another order."
        if table and any(column.kind in {"added", "removed"} for column in table.columns):
            return "In the columns that both versions have, all rows are the same."
        return (
            f"All {thing}s are the same: only the way in which they are written differs, such as line ends."
        )
    if shown.is_cut:
        return f"At least {count(shown.differing, thing)} {'differs' if shown.differing == 1 else 'differ'}."
    parts = []
    if shown.changed:
        parts.append(f"{shown.changed:,} of {count(shown.before, thing)} changed")
    for number, word in ((shown.added, "added"), (shown.removed, "removed")):
        if number:
            verb = "was" if number == 1 else "were"
            parts.append(f"{number if parts else count(number, thing)} {verb} {word}")
    return ", ".join(parts) + "."


def _columns(table: Table) -> list[str]:
    """What became of the columns, in sentences."""
    told = []
    for kind, words in (("added", "New"), ("removed", "Gone")):
        names = [column.name or "(without a name)" for column in table.columns if column.kind == kind]
        if names:
            told.append(f"{words}: {_some(names)}")
    renamed = [f"{each.old_name} → {each.name}" for each in table.columns if each.kind == "renamed"]
    return [*told, f"Renamed: {_some(renamed)}"] if renamed else told


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMES:,} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more
