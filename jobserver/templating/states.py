"""What the pages call the states of jobs, requests and backends: a glyph, a word, a class (spec: rap 9)."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["pending", "running", "succeeded", "failed", "cancelled", "nothing", "unknown", "warning"]


@dataclass(frozen=True)
class State:
    """How a state is shown. `kind` names its colours (class `st-<kind>`), `icon` its glyph."""

    kind: Kind
    icon: str
    word: str

    @property
    def css(self) -> str:
        """The class that carries the state's colours."""
        return f"st-{self.kind}"

    @property
    def spins(self) -> bool:
        """Only the glyph of what runs now moves."""
        return self.icon == "ring"


STATES = {
    "pending": State("pending", "clock", "Pending"),
    "running": State("running", "ring", "Running"),
    "succeeded": State("succeeded", "check-circle", "Succeeded"),
    "failed": State("failed", "x-circle", "Failed"),
    "cancelled": State("cancelled", "no-symbol", "Cancelled"),
    "nothing_to_do": State("nothing", "minus-circle", "Nothing to do"),
    "unknown": State("unknown", "question-mark-circle", "Unknown"),
    "paused": State("warning", "pause-circle", "Paused"),
    "maintenance": State("warning", "wrench-screwdriver", "Maintenance"),
    "working": State("succeeded", "check-circle", "Working"),
    "no_contact": State("warning", "exclamation-triangle", "No contact"),
}

# Where a project stands, by its status (spec: pages 26.4).
PROJECT_STATES = {
    "ongoing": State("running", "play-circle", "Ongoing"),
    "postponed": State("warning", "pause-circle", "Postponed"),
    "retired": State("cancelled", "archive-box", "Retired"),
    "ongoing-and-linked": State("running", "play-circle", "Ongoing, paper or report linked"),
    "completed-and-linked": State("succeeded", "check-circle", "Completed, paper or report linked"),
    "completed-and-awaiting": State("succeeded", "check-circle", "Completed, awaiting paper or report"),
}

# Where an application for a project stands, in the order in which lists offer it (spec: applications 8).
APPLICATION_STATES = {
    "approved_fully": State("succeeded", "check-circle", "Approved fully"),
    "approved_subject_to": State("succeeded", "check-circle", "Approved subject to conditions"),
    "completed": State("succeeded", "archive-box", "Completed"),
    "submitted": State("pending", "clock", "Submitted"),
    "ongoing": State("running", "pencil-square", "Ongoing"),
    "rejected": State("failed", "x-circle", "Rejected"),
    "deferred": State("warning", "pause-circle", "Deferred"),
}

# What became of a released file (spec: domain 3.15), and of a snapshot (spec: domain 3.17).
RELEASE_FILE_STATES = {
    "uploaded": State("succeeded", "check-circle", "Uploaded"),
    "waiting": State("pending", "clock", "Not uploaded yet"),
    "redacted": State("cancelled", "no-symbol", "Redacted"),
}
SNAPSHOT_STATES = {
    "published": State("succeeded", "globe-alt", "Published"),
    "pending": State("warning", "clock", "Draft, waits for a decision"),
    "rejected": State("failed", "x-circle", "Rejected"),
    "draft": State("pending", "pencil-square", "Draft"),
}

# Where a wish to publish a snapshot stands (spec: domain 3.18).
PUBLISH_REQUEST_STATES = {
    "pending": State("warning", "clock", "Waits for a decision"),
    "approved": State("succeeded", "globe-alt", "Published"),
    "rejected": State("failed", "x-circle", "Rejected"),
    "withdrawn": State("cancelled", "arrow-uturn-left", "Withdrawn"),
    "unpublished": State("cancelled", "eye-slash", "Unpublished"),
}

# Where a release request stands in Airlock, by its state (spec: airlock 10).
RELEASE_REQUEST_STATES = {
    "submitted": State("pending", "clock", "Submitted"),
    "partially_reviewed": State("running", "eye", "First review done"),
    "reviewed": State("running", "eye", "Second review done"),
    "returned": State("warning", "arrow-uturn-left", "Returned"),
    "approved": State("running", "arrow-up-tray", "Approved, uploading"),
    "released": State("succeeded", "check-circle", "Released"),
    "rejected": State("failed", "x-circle", "Rejected"),
    "withdrawn": State("cancelled", "no-symbol", "Withdrawn"),
}

# Who has to act next on a release request.
WHOSE_TURN = {
    "author": "With the author",
    "checkers": "With the output checkers",
    "airlock": "Files are being uploaded",
    "nobody": "Finished",
}

# The order of segments in bars and of counts beneath them.
PROGRESS_ORDER: tuple[str, ...] = ("succeeded", "failed", "cancelled", "running", "pending")

_HELD_BY_CODE = {
    "paused": "paused",
    "waiting_on_reboot": "paused",
    "waiting_on_new_task": "paused",
    "waiting_db_maintenance": "maintenance",
}


def state_of(status: str, status_code: str | None = "", *, only_cancelled: bool = False) -> State:
    """How to show a job or a job request.

    A job gives its `status_code` too. `only_cancelled`: a request that failed for no other reason than
    that jobs were cancelled. What is not a known state is shown as Unknown.
    """
    status = (status or "pending").lower()
    if status == "failed" and (only_cancelled or status_code == "cancelled_by_user"):
        return STATES["cancelled"]
    if status == "pending" and status_code in _HELD_BY_CODE:
        return STATES[_HELD_BY_CODE[status_code]]
    return STATES.get(status, STATES["unknown"])
