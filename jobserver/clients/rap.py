"""The RAP controller: asks it to run jobs, to cancel them, and how they and the backends are.

Nothing is retried here: creating is safe to repeat with the same RAP id, and the status service does so.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from jobserver.clients import transport
from jobserver.clients.rap_reports import (
    BackendReport,
    BackendReports,
    Fault,
    JobReport,
    StatusReport,
    clipped,
    read_backends,
    read_status,
)
from jobserver.clients.transport import Answer, Limits, NoAnswer, NotJson
from jobserver.settings import Settings

__all__ = [
    "BackendReport",
    "BackendReports",
    "CreateRequest",
    "Created",
    "Fault",
    "JobReport",
    "RapClient",
    "RapError",
    "RapNotConfigured",
    "RapRefused",
    "RapUnauthorised",
    "RapUnavailable",
    "StatusReport",
]

# Creating runs git over the network several times (spec: rap 1.3); a status answer lists
# every job of hundreds of requests.
CREATE_LIMITS = Limits(connect=5, read=60)
LIMITS = Limits(connect=5, read=20, size=64 * transport.MEGABYTE)

NO_REASON = "The RAP controller refused this without giving a reason."


class RapError(Exception):
    """A call to the RAP controller did not do what was asked."""


class RapNotConfigured(RapError):
    """There is no usable address or token; nothing was sent."""


class RapUnavailable(RapError):
    """No usable answer: whether the controller did what was asked is not known.

    ``reason`` is short and for operators; users are told only that it is not known.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class RapUnauthorised(RapUnavailable):
    """The controller does not accept our token: the operators' fault, so the request stays unsettled."""


class RapRefused(RapError):
    """The controller said no. ``details`` is for the user; ``not_found`` lists actions without a job."""

    def __init__(self, details: str, status: int, error: str = "", not_found: tuple[str, ...] = ()) -> None:
        self.details = details
        self.status = status
        self.error = error
        self.not_found = not_found
        super().__init__(details)


@dataclass(frozen=True, kw_only=True)
class CreateRequest:
    """Everything the controller needs to make the jobs of one job request (spec: rap 1.3 and 2)."""

    rap_id: str
    backend: str
    workspace: str
    repo_url: str
    branch: str
    commit: str
    requested_actions: tuple[str, ...]
    codelists_ok: bool
    force_run_dependencies: bool
    created_by: str
    project: str
    orgs: tuple[str, ...]
    analysis_scope: Mapping[str, Any] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """The JSON object to send."""
        return {
            "rap_id": self.rap_id,
            "backend": self.backend,
            "workspace": self.workspace,
            "repo_url": self.repo_url,
            "branch": self.branch,
            "commit": self.commit,
            "database_name": "default",
            "requested_actions": list(self.requested_actions),
            "codelists_ok": self.codelists_ok,
            "force_run_dependencies": self.force_run_dependencies,
            "created_by": self.created_by,
            "project": self.project,
            "orgs": list(self.orgs),
            "analysis_scope": dict(self.analysis_scope),
        }


@dataclass(frozen=True)
class Created:
    """The controller's yes: how many jobs the request has (0: nothing to do), and its words."""

    count: int
    details: str
    result: str


class RapClient:
    """Speaks to one RAP controller with one token. Threads may share it."""

    def __init__(
        self, base_url: str, token: str, *, create_limits: Limits = CREATE_LIMITS, limits: Limits = LIMITS
    ) -> None:
        self._base_url = base_url.rstrip("/") + "/" if base_url else ""
        self._token = token
        self._create_session = transport.limited_session(create_limits)
        self._session = transport.limited_session(limits)

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The controller that the settings name."""
        return cls(settings.rap_api_base_url, settings.rap_api_token)

    def create(self, request: CreateRequest) -> Created:
        """Ask for the jobs of a job request. Repeating it with the same RAP id changes nothing.

        Raises :class:`RapUnavailable` whenever jobs may or may not exist afterwards, which includes an
        error page where the controller's own refusal would be JSON (spec: rap 3.2 and 11).
        """
        answer = self._call("POST", "rap/create/", request.body(), creating=True)
        fields = _accepted(answer, {200, 201}, page_is_refusal=False)
        count = _count(fields)
        details = _text(fields, "details")
        if count == 0 and not details:
            raise RapUnavailable("the answer says that no job was made but not why")
        return Created(count=count, details=details, result=_text(fields, "result"))

    def cancel(self, rap_id: str, actions: Iterable[str]) -> int:
        """Cancel these actions of a RAP; the number the controller counted. All of them or none.

        Callers leave out actions that have ended: cancelling one makes the controller forget
        its result (spec: rap 1.4).
        """
        answer = self._call("POST", "rap/cancel/", {"rap_id": rap_id, "actions": list(actions)})
        return _count(_accepted(answer, {200}))

    def status(self, rap_ids: Iterable[str]) -> StatusReport:
        """All jobs of these RAPs. Without any id nothing is asked."""
        asked = list(rap_ids)
        if not asked:
            return StatusReport()
        report = read_status(_accepted(self._call("POST", "rap/status/", {"rap_ids": asked}), {200}))
        if report is None:
            raise RapUnavailable("the answer has no list of jobs")
        return report

    def backend_status(self) -> BackendReports:
        """Every backend that our token may use, in the controller's order."""
        reports = read_backends(_accepted(self._call("GET", "backend/status/"), {200}))
        if reports is None:
            raise RapUnavailable("the answer has no list of backends")
        return reports

    def _call(
        self, method: str, endpoint: str, body: dict[str, Any] | None = None, *, creating: bool = False
    ) -> Answer:
        if not self._base_url or not self._token:
            raise RapNotConfigured("RAP_API_BASE_URL and RAP_API_TOKEN have to be set.")
        if not transport.fits_header(self._token):
            raise RapNotConfigured("RAP_API_TOKEN has characters that cannot be sent in a header.")
        session = self._create_session if creating else self._session
        try:
            return transport.exchange(
                session,
                method,
                self._base_url + endpoint,
                headers={"Authorization": self._token, "Accept": "application/json"},
                json=body,
            )
        except NoAnswer as error:
            raise RapUnavailable(error.reason) from error


def _accepted(answer: Answer, success: set[int], *, page_is_refusal: bool = True) -> dict[str, Any]:
    """The fields of a successful answer; any other is raised as what it means."""
    if answer.status == 401:
        raise RapUnauthorised("the controller does not accept RAP_API_TOKEN")
    refused = 400 <= answer.status < 500
    if answer.status not in success and not refused:
        raise RapUnavailable(f"the answer has status {answer.status}")
    try:
        fields = answer.fields()
    except NotJson as error:
        if refused and page_is_refusal:
            raise RapRefused(NO_REASON, answer.status) from error
        raise RapUnavailable(f"the answer has status {answer.status} but is not JSON") from error
    if refused:
        names = fields.get("not_found")
        raise RapRefused(
            _text(fields, "details") or NO_REASON,
            answer.status,
            _text(fields, "error"),
            tuple(each for each in names if isinstance(each, str)) if isinstance(names, list) else (),
        )
    return fields


def _count(fields: dict[str, Any]) -> int:
    count = fields.get("count")
    if isinstance(count, float) and count.is_integer():
        count = int(count)
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        raise RapUnavailable("the answer has no usable count")
    return count


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    return clipped(value) if isinstance(value, str) else ""
