"""What the worker's log says of a task that has to wait, and of one that fails."""

import io
import logging

from jobserver.tasks.retrying import NotYet
from jobserver.tasks.worker import in_brief


def logged(error: Exception) -> str:
    """What is written about the error of a task."""
    written = io.StringIO()
    logger = logging.Logger("worker")
    logger.addHandler(logging.StreamHandler(written))
    logger.addFilter(in_brief)
    logger.error("Job %s ended", "tell[1]", exc_info=error)
    return written.getvalue()


def test_waiting_is_one_line_with_its_reason() -> None:
    assert logged(NotYet("100% of GitHub is away")) == "Job tell[1] ended: 100% of GitHub is away\n"


def test_a_fault_is_told_in_full() -> None:
    assert "\nValueError: a fault" in logged(ValueError("a fault"))
