"""Requests to be run again, and the form that does it."""

from typing import Any

from webtest import TestResponse

from jobserver.models import JobRequest
from tests import factories as f
from tests.web.conftest import Browser
from tests.web.run_jobs.asking import Asking


def commit_of(browser: Browser, asking: Asking) -> str:
    return str(browser.get(asking.url).html.select_one("input[name=commit]")["value"])


def made(browser: Browser, asking: Asking, *actions: str, **fields: Any) -> JobRequest:
    """A request on TPP at the branch's commit, by somebody else."""
    given = {"sha": commit_of(browser, asking), "requested_actions": list(actions), **fields}
    request: JobRequest = f.JobRequestFactory(workspace=asking.workspace, backend=asking.tpp, **given)
    return request


def job(request: JobRequest, action: str, status: str, code: str = "") -> None:
    f.JobFactory(job_request=request, action=action, status=status, status_code=code)


def url(asking: Asking, request: JobRequest, query: str = "") -> str:
    return f"{asking.workspace_url}{request.id}/run-again/{query}"


def plan(page: TestResponse) -> str:
    return " ".join(page.html.select_one("#plan").get_text(" ").split())


def form(page: TestResponse, **changes: str) -> dict[str, str]:
    """What a browser would send of the page's form."""
    inputs = page.html.select("form.cols input[type=hidden]")
    values = {each["name"]: each["value"] for each in inputs if each["name"] != "csrfmiddlewaretoken"}
    return {**values, **changes}
