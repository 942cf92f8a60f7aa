"""How much sample data is wanted, and numbers shared out so that the sums are exact."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

YEARS = 10
SPAN = timedelta(days=365 * YEARS)


class WrongSize(ValueError):
    """These numbers do not go together; the text says which."""


@dataclass(frozen=True)
class Size:
    """What was asked for. A third of the jobs belong to one workspace, up to 2,082 to one request."""

    until: datetime
    requests: int = 26_000
    jobs: int = 300_000
    users: int = 700
    projects: int = 300
    active: int = 40
    seed: int = 1

    def __post_init__(self) -> None:
        least = {"requests": 100, "users": 20, "projects": 5, "active": 0}
        for name, number in least.items():
            if getattr(self, name) < number:
                raise WrongSize(f"--{name} must be at least {number}")
        if self.jobs < self.requests:
            raise WrongSize("--jobs must not be less than --requests")
        if self.active > self.requests // 5:
            raise WrongSize("--active must not be more than a fifth of --requests")

    @property
    def since(self) -> datetime:
        """When it all began."""
        return self.until - SPAN

    @property
    def orgs(self) -> int:
        """Number of organisations."""
        return min(40, self.projects)

    @property
    def workspaces(self) -> int:
        """Number of workspaces."""
        return 2 * self.projects

    @property
    def jobs_of_busiest_workspace(self) -> int:
        """Jobs of the workspace that has most."""
        return self.jobs // 3

    @property
    def jobs_of_largest_request(self) -> int:
        """Jobs of the request that has most."""
        return min(2_082, self.jobs // 10)

    @property
    def releases(self) -> int:
        """Number of releases; half of them came from a release request that is known."""
        return self.requests // 13

    @property
    def released_files(self) -> int:
        """Files of all releases."""
        return 20 * self.releases

    @property
    def files_of_largest_release(self) -> int:
        """Files of the release that has most."""
        return min(10_000, self.released_files // 4)


def share_out(total: int, shares: int, most_times_mean: float, random: Random) -> list[int]:
    """So many whole numbers from 1 on, unevenly, that add up to the total.

    None is more than ``most_times_mean`` times the mean, rounded up.
    """
    if not shares:
        return []
    most = int(total / shares * most_times_mean) + 1
    weights = [random.lognormvariate(0, 0.7) for _ in range(shares)]
    scale = total / sum(weights)
    numbers = [min(most, max(1, int(weight * scale))) for weight in weights]
    missing = total - sum(numbers)
    step = 1 if missing > 0 else -1
    order = random.sample(range(shares), shares)
    while missing:
        for index in order:
            if missing and 1 <= numbers[index] + step <= most:
                numbers[index] += step
                missing -= step
    return numbers


def sums(numbers: Sequence[float]) -> list[float]:
    """Running totals, as ``random.choices`` wants its weights."""
    totals: list[float] = []
    for number in numbers:
        totals.append(number + (totals[-1] if totals else 0.0))
    return totals
