"""States and sentences: how a job's code becomes what people read."""

import pytest

from jobserver.templating.sentences import job_sentence
from jobserver.templating.states import STATES, state_of


@pytest.mark.parametrize(
    ("status", "code", "name"),
    [
        ("pending", "waiting_on_workers", "pending"),
        ("pending", "paused", "paused"),
        ("pending", "waiting_on_reboot", "paused"),
        ("pending", "waiting_on_new_task", "paused"),
        ("pending", "waiting_db_maintenance", "maintenance"),
        ("running", "executing", "running"),
        ("running", "paused", "running"),
        ("succeeded", "succeeded", "succeeded"),
        ("Succeeded", None, "succeeded"),
        ("failed", "nonzero_exit", "failed"),
        ("failed", "cancelled_by_user", "cancelled"),
        ("nothing_to_do", "", "nothing_to_do"),
        ("unknown", "", "unknown"),
        ("unknown_error_creating_jobs", "", "unknown"),
        ("0", "", "unknown"),
        ("", "", "pending"),
    ],
)
def test_a_state_follows_from_status_and_code(status: str, code: str | None, name: str) -> None:
    assert state_of(status, code) == STATES[name]


def test_a_request_that_failed_only_through_cancelling_is_shown_as_cancelled() -> None:
    assert state_of("failed", only_cancelled=True) == STATES["cancelled"]
    assert state_of("running", only_cancelled=True) == STATES["running"]


@pytest.mark.parametrize(
    ("status", "code", "sentence"),
    [
        ("pending", "created", "Accepted"),
        ("pending", "waiting_on_workers", "Waiting for a free slot on TPP"),
        ("pending", "waiting_on_db_workers", "Waiting for a free database slot on TPP"),
        ("pending", "paused", "TPP starts no new jobs just now"),
        ("pending", "waiting_db_maintenance", "Waiting for database maintenance to end; starts by itself"),
        ("pending", "waiting_on_reboot", "Stopped for a planned restart; starts by itself"),
        ("pending", "waiting_on_new_task", "A fault at TPP, not in your code; tried again by itself"),
        ("running", "initiated", "Handed to TPP"),
        ("running", "preparing", "Copying inputs"),
        ("running", "prepared", "Copying inputs"),
        ("running", "executing", "Running your code"),
        ("running", "executed", "Collecting outputs"),
        ("running", "finalizing", "Collecting outputs"),
        ("running", "finalized", "Collecting outputs"),
        ("failed", "nonzero_exit", "Your code stopped with an error"),
        ("failed", "unmatched_patterns", "Expected outputs were not found"),
        ("failed", "internal_error", "A fault at TPP, not in your code; tell support"),
        ("failed", "job_error", "A fault at TPP, not in your code; tell support"),
    ],
)
def test_each_code_has_its_sentence_whatever_the_controller_says(
    status: str, code: str, sentence: str
) -> None:
    assert job_sentence(status, code, "something else", backend="TPP") == sentence


def test_a_waiting_job_names_the_one_action_it_waits_for_or_counts_them() -> None:
    assert job_sentence("pending", "waiting_on_dependencies", waiting_for=["a"]) == (
        "Waiting for <code>a</code>"
    )
    assert job_sentence("pending", "waiting_on_dependencies", waiting_for=["a", "b", "c"], needs=4) == (
        "Waiting for 3 of 4 actions it needs"
    )
    assert job_sentence("pending", "waiting_on_dependencies", waiting_for=["a", "b"], needs=2) == (
        "Waiting for 2 actions it needs"
    )
    assert job_sentence("pending", "waiting_on_dependencies") == "Waiting for actions it needs"


def test_the_place_in_the_queue_is_said_when_it_is_known() -> None:
    assert job_sentence("pending", "waiting_on_workers", backend="TPP", ahead=2) == (
        "Waiting for a free slot on TPP (2 ahead)"
    )
    assert "ahead" not in job_sentence("pending", "waiting_on_workers", backend="TPP", ahead=0)
    assert "ahead" not in job_sentence("failed", "job_error", backend="TPP", ahead=2)


def test_a_job_that_never_started_names_what_it_needed_and_a_cancelled_one_who_asked() -> None:
    assert job_sentence("failed", "dependency_failed", waiting_for=["cox"]) == (
        "Never started: it needs <code>cox</code>"
    )
    assert job_sentence("failed", "cancelled_by_user", cancelled_by="researcher-1") == (
        "Cancelled by researcher-1"
    )
    assert job_sentence("failed", "cancelled_by_user") == "Cancelled"


def test_a_plain_success_says_nothing_and_one_with_files_left_out_says_so() -> None:
    assert job_sentence("succeeded", "succeeded", "Completed successfully") == ""
    assert job_sentence("succeeded", "", "Completed successfully") == ""
    left_out = "Completed successfully, but some file(s) marked as moderately_sensitive were excluded."
    assert job_sentence("succeeded", "succeeded", left_out) == "Some files were left out, see its log"


def test_an_unlisted_code_gives_the_reported_text_as_it_is() -> None:
    assert job_sentence("failed", "new_code", "What the controller says") == "What the controller says"
    assert job_sentence("failed", "new_code", "") == "new code"
    assert job_sentence("failed", "", None) == ""


def test_text_from_outside_is_escaped() -> None:
    assert job_sentence("failed", "other", "<b>") == "&lt;b&gt;"
    assert job_sentence("pending", "paused", backend="<b>").startswith("&lt;b&gt;")
    assert "<script" not in job_sentence("pending", "waiting_on_dependencies", waiting_for=["<script>"])
    assert "<script" not in job_sentence("failed", "cancelled_by_user", cancelled_by="<script>")
