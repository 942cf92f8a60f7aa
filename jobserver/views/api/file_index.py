"""The list of files that a release, a workspace or a snapshot has, for programs (spec: airlock 5.1)."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from pyramid.response import Response

from jobserver.queries.outputs import OutputFile
from jobserver.views.api.exchange import answer


def index(items: Iterable[dict[str, Any]]) -> Response:
    """The answer with these items."""
    return answer({"files": list(items)})


def item(file: OutputFile, *, name: str | None = None, url: str | None = None) -> dict[str, Any]:
    """The file as an index lists it; ``name`` and ``url`` where they are not the usual ones.

    The keys up to ``review`` are those that clients know, in the order they know.
    """
    return {
        "name": name or file.name,
        "id": file.id,
        "url": url or f"/api/v2/releases/file/{file.id}",
        "user": file.user,
        "date": _moment(file.created_at),
        "sha256": file.sha256,
        "size": file.size,
        "is_deleted": file.deleted_at is not None,
        "backend": file.backend_name,
        "metadata": file.metadata,
        "review": None,
        "uploaded": file.uploaded_at is not None,
        "mtime": _moment(file.mtime),
        "uploaded_at": _moment(file.uploaded_at) if file.uploaded_at else None,
    }


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
