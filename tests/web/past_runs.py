"""Runs of one action in the requests before, and the words of a page."""

from datetime import timedelta
from typing import Any

from webtest import TestResponse

from tests.web.running import ago, job, requested


def run_(
    first: Any, status: str = "succeeded", *, minutes: float = 30, days: float = 0, **fields: Any
) -> Any:
    """A run of "table" in the same workspace, in a request of its own, so many days before the first."""
    given = {"backend": fields.pop("backend", first.backend), "sha": fields.pop("sha", "a" * 40)}
    request = requested(workspace=first.workspace, **given)
    created = ago(60) - timedelta(days=days)
    code = fields.pop("code", "succeeded" if status == "succeeded" else "nonzero_exit")
    times = {
        "created_at": created,
        "started_at": created,
        "completed_at": created + timedelta(minutes=minutes),
    }
    return job(request, status, code, **{"action": "table", **times, **fields})


def text(page: TestResponse) -> str:
    return " ".join(page.html.select_one("main").get_text(" ").split())
