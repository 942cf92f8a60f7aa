"""Jobs that a backend reports by itself, as older controllers do (spec: rap 10.1, 11; access 8.3.23).

Stored by the same rules as what the status service asks for: each request by itself, nothing deleted.
"""

from collections.abc import Sequence
from typing import Any

from jobserver.clients.rap_reports import read_status
from jobserver.queries import active_requests
from jobserver.rap.context import Context
from jobserver.rap.sync import Synced, store_answer


def store_reports(context: Context, backend_id: int, reports: Sequence[dict[str, Any]]) -> Synced:
    """Store what a backend reports of jobs of its own requests; others count as unknown, and are noted.

    ``reports`` are as in the controller's answers. Of a job that comes twice, the last report counts.
    """
    newest = {(each["rap_id"], each["identifier"]): each for each in reports}
    report = read_status({"jobs": list(newest.values()), "unrecognised_rap_ids": []})
    if report is None or not newest:
        return Synced()
    with context.transaction() as db:
        named = {each["rap_id"] for each in reports}
        asked = active_requests.by_identifier(db, named, backend_id=backend_id)
    return store_answer(context, asked, report)
