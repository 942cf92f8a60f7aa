"""The second line of a job: why it waits, what it does, how it ended (spec: rap 9)."""

from collections.abc import Sequence

from markupsafe import Markup

_PLAIN = {
    "created": "Accepted",
    "waiting_on_dependencies": "Waiting for actions it needs",
    "waiting_db_maintenance": "Waiting for database maintenance to end; starts by itself",
    "waiting_on_reboot": "Stopped for a planned restart; starts by itself",
    "preparing": "Copying inputs",
    "prepared": "Copying inputs",
    "executing": "Running your code",
    "executed": "Collecting outputs",
    "finalizing": "Collecting outputs",
    "finalized": "Collecting outputs",
    "dependency_failed": "Never started: an action it needs failed",
    "nonzero_exit": "Your code stopped with an error",
    "unmatched_patterns": "Expected outputs were not found",
    "cancelled_by_user": "Cancelled",
    "killed_by_admin": "Stopped by an operator",
    "stale_codelists": "Codelists were out of date",
}

_ON_BACKEND = {
    "waiting_on_workers": "Waiting for a free slot on {}",
    "waiting_on_db_workers": "Waiting for a free database slot on {}",
    "paused": "{} starts no new jobs just now",
    "waiting_on_new_task": "A fault at {}, not in your code; tried again by itself",
    "initiated": "Handed to {}",
    "internal_error": "A fault at {}, not in your code; tell support",
    "job_error": "A fault at {}, not in your code; tell support",
}


def job_sentence(
    status: str,
    status_code: str | None,
    status_message: str | None = "",
    *,
    backend: str = "the backend",
    waiting_for: Sequence[str] = (),
    needs: int = 0,
    ahead: int | None = None,
    cancelled_by: str | None = None,
) -> Markup:
    """One sentence for a job's code; empty for a plain success.

    `waiting_for`: the actions it needs that have not ended well, of `needs` in all. `ahead`: how many jobs
    are before it in the queue. A code not listed gives the controller's own words, or the code.
    """
    code = status_code or ""
    if code == "waiting_on_dependencies" and waiting_for:
        return _waiting(waiting_for, needs)
    if code == "dependency_failed" and waiting_for:
        return Markup("Never started: it needs {}").format(_names(waiting_for))
    if code == "cancelled_by_user" and cancelled_by:
        return Markup("Cancelled by {}").format(cancelled_by)
    if code in _ON_BACKEND:
        sentence = Markup.escape(_ON_BACKEND[code]).format(backend)
        queued = code in {"waiting_on_workers", "waiting_on_db_workers"} and ahead
        return sentence + Markup(" ({} ahead)").format(f"{ahead:,}") if queued else sentence
    if code in _PLAIN:
        return Markup.escape(_PLAIN[code])
    if code == "succeeded" or (status == "succeeded" and not code):
        return _hint(status_message or "")
    return Markup.escape(status_message or code.replace("_", " "))


def _waiting(names: Sequence[str], needs: int) -> Markup:
    if len(names) == 1:
        return Markup("Waiting for {}").format(_names(names))
    of = f"{len(names)} of {needs}" if needs > len(names) else f"{len(names)}"
    return Markup("Waiting for {} actions it needs").format(of)


def _names(names: Sequence[str]) -> Markup:
    return Markup(", ").join(Markup("<code>{}</code>").format(name) for name in names)


def _hint(message: str) -> Markup:
    """What a success adds to "completed successfully": some files were left out."""
    return Markup("Some files were left out, see its log") if "excluded" in message else Markup("")
