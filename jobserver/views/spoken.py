"""What is said aloud about a live region: seldom, and only what matters (design: live updates)."""

from dataclasses import dataclass
from datetime import datetime

from jobserver.models import JobRequest
from jobserver.queries import job_requests as queries

PAUSE = 30


@dataclass(frozen=True)
class Heard:
    """What the reader was last told: jobs finished, jobs failed, and when (seconds since 1970; 0: never).

    The region's own address carries it, so the server keeps nothing.
    """

    finished: int
    failed: int
    at: int = 0

    def __str__(self) -> str:
        return f"{self.finished}.{self.failed}.{self.at}"

    @classmethod
    def of(cls, job_request: JobRequest, at: int = 0) -> "Heard":
        """What somebody knows who sees the request as it is."""
        return cls(job_request.jobs_finished, job_request.jobs_failed, at)

    @classmethod
    def read(cls, text: str | None) -> "Heard | None":
        """From an address; None if it does not say, or says nonsense."""
        parts = (text or "").split(".")
        if len(parts) != 3 or not all(part.isascii() and part.isdigit() and len(part) < 12 for part in parts):
            return None
        return cls(*map(int, parts))


def news(job_request: JobRequest, heard: Heard | None, now: datetime) -> tuple[str, Heard]:
    """The sentence to say, or "", and what the reader has then been told.

    Said are a failure, each quarter of the jobs, and the end; at most once in 30 s, except the end.
    """
    seconds = int(now.timestamp())
    if heard is None:
        return "", Heard.of(job_request)
    ended = not queries.is_followed(job_request)
    if not ended and (seconds - heard.at < PAUSE or not _matters(job_request, heard)):
        return "", heard
    total, finished, failed = job_request.jobs_total, job_request.jobs_finished, job_request.jobs_failed
    sentence = f"{finished} of {total} jobs finished{f', {failed} failed' if failed else ''}."
    if ended:
        sentence = f"{queries.shown_state(job_request).word}. {sentence if total else ''}".strip()
    return sentence, Heard.of(job_request, seconds)


def _matters(job_request: JobRequest, heard: Heard) -> bool:
    if job_request.jobs_failed > heard.failed:
        return True
    total = job_request.jobs_total
    return bool(total) and job_request.jobs_finished * 4 // total > heard.finished * 4 // total
