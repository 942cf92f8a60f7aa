"""How often a failed task is tried again."""

from datetime import datetime, timedelta

from procrastinate import BaseRetryStrategy, RetryDecision
from procrastinate.jobs import Job

from jobserver.models import utcnow

SHORTEST_PAUSE = timedelta(seconds=1)
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(hours=1)
# The pauses add up to a little over two days; then the task stays in the list of failed ones.
ATTEMPTS = 60


class GiveUp(Exception):
    """Trying again cannot help; the text says why, for operators."""


class NotYet(Exception):
    """What was to be done could not be done now; trying again may help, at ``until`` if that is known."""

    def __init__(self, reason: str, *, until: datetime | None = None) -> None:
        self.until = until
        super().__init__(reason)


class BackOff(BaseRetryStrategy):
    """Each pause twice the one before, up to an hour; tasks cut off by a stop begin again at once."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """When to try again, if at all."""
        if not isinstance(exception, Exception):
            return RetryDecision(retry_at=utcnow())
        if isinstance(exception, GiveUp) or job.attempts >= ATTEMPTS:
            return None
        if isinstance(exception, NotYet) and exception.until is not None:
            now = utcnow()
            return RetryDecision(
                retry_at=max(now + SHORTEST_PAUSE, min(exception.until, now + LONGEST_PAUSE))
            )
        pause = min(FIRST_PAUSE * 2 ** min(job.attempts, 20), LONGEST_PAUSE)
        return RetryDecision(retry_at=utcnow() + pause)
