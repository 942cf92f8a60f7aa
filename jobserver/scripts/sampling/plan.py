"""Which requests there are: when, in which workspace, with how many jobs, and how they ended."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random

from jobserver.scripts.sampling.size import SPAN, Size, share_out

BUSIEST, LARGEST = 0, 1  # the workspaces with most jobs, and with the largest request
_SHARE_OF_BUSIEST = 0.12


class Outcome(StrEnum):
    """What becomes of a request."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    FAILED_AND_CANCELLED = "failed and cancelled"
    OLD_WORDS = "in words of long ago"
    NOTHING_TO_DO = "nothing to do"
    REFUSED = "refused"
    # Those that are not at their end yet.
    STALE = "no news"
    RUNNING = "running"
    WAITING = "waiting"
    ACCEPTED = "accepted, no jobs yet"
    NO_ANSWER = "no answer"


WITHOUT_JOBS = frozenset({Outcome.NOTHING_TO_DO, Outcome.REFUSED, Outcome.ACCEPTED, Outcome.NO_ANSWER})
_ENDED = {
    Outcome.SUCCEEDED: 64,
    Outcome.FAILED: 24,
    Outcome.CANCELLED: 3,
    Outcome.FAILED_AND_CANCELLED: 1,
    Outcome.NOTHING_TO_DO: 5,
    Outcome.REFUSED: 3,
}
# The active ones in their order of time, for every sixteen of them.
_GOING_ON = (
    *[Outcome.STALE] * 2,
    *[Outcome.RUNNING] * 9,
    *[Outcome.WAITING] * 3,
    Outcome.ACCEPTED,
    Outcome.NO_ANSWER,
)


@dataclass(slots=True)
class Planned:
    """One request to be made."""

    at: datetime
    workspace: int
    outcome: Outcome
    jobs: int = 0


def plan(size: Size, random: Random) -> list[Planned]:
    """All requests, oldest first."""
    outcomes = _outcomes(size, random)
    times = _times(size, random)
    requests = [
        Planned(at, _workspace(at, size, random), outcome)
        for at, outcome in zip(times, outcomes, strict=True)
    ]
    largest = _place_largest(requests, size)
    _give_jobs(requests, largest, size, random)
    return requests


def _times(size: Size, random: Random) -> list[datetime]:
    """More and more over the years; what is active began within the last eight hours."""
    ended = sorted(random.random() ** 0.6 for _ in range(size.requests - size.active))
    # The last day is left to those that are active, so that the others have the time to end.
    span = SPAN - timedelta(days=1)
    going_on = sorted(random.uniform(0.1, 8) for _ in range(size.active))
    return [size.since + part * span for part in ended] + [
        size.until - timedelta(hours=hours) for hours in reversed(going_on)
    ]


def _outcomes(size: Size, random: Random) -> list[Outcome]:
    ended = size.requests - size.active
    outcomes = random.choices(list(_ENDED), list(_ENDED.values()), k=ended)
    for index in range(0, ended // 50, 5):
        outcomes[index] = Outcome.OLD_WORDS
    return outcomes + [
        _GOING_ON[index * len(_GOING_ON) // size.active % len(_GOING_ON)] for index in range(size.active)
    ]


def _workspace(at: datetime, size: Size, random: Random) -> int:
    """Most workspaces are used for a year or two; one is used all the time."""
    if random.random() < _SHARE_OF_BUSIEST:
        return BUSIEST
    first, count = LARGEST + 1, size.workspaces - LARGEST - 1
    place = (at - size.since) / SPAN + random.gauss(0, 0.05)
    return first + min(max(int(place * count), 0), count - 1)


def _place_largest(requests: list[Planned], size: Size) -> Planned:
    """Give the workspace of the largest request a few requests of which that is the middle one."""
    middle = (size.requests - size.active) * 9 // 10
    for index in range(middle - 2, middle + 3):
        requests[index].workspace = LARGEST
        requests[index].outcome = Outcome.SUCCEEDED
    requests[middle].outcome = Outcome.FAILED
    return requests[middle]


def _give_jobs(requests: list[Planned], largest: Planned, size: Size, random: Random) -> None:
    largest.jobs = size.jobs_of_largest_request
    running = [each for each in requests if each.outcome not in WITHOUT_JOBS and each is not largest]
    busy = [each for each in running if each.workspace == BUSIEST]
    others = [each for each in running if each.workspace != BUSIEST]
    rest = size.jobs - size.jobs_of_busiest_workspace - largest.jobs
    for group, total, most in ((busy, size.jobs_of_busiest_workspace, 2.0), (others, rest, 3.0)):
        for each, number in zip(group, share_out(total, len(group), most, random), strict=True):
            each.jobs = number
