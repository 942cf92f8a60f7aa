"""The repositories that new workspaces can be made for, as GitHub lists them, remembered for a while.

An organisation at GitHub may have hundreds of repositories, so what it answered is kept for some minutes.
"""

import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from jobserver.clients.github import GitHubClient, Repository
from jobserver.studies.remembered import TIME_LIMIT, Remembered

NOT_RESEARCH = "non-research"

_URL = re.compile(r"https://github\.com/([A-Za-z0-9][A-Za-z0-9-]*)/([A-Za-z0-9._-]+)")


@dataclass(frozen=True)
class Listed:
    """A repository that can be chosen, with its branches."""

    url: str
    owner: str
    name: str
    branches: tuple[str, ...]

    @property
    def usual_branch(self) -> str:
        """The branch that most people want: main, else master, else the only one; empty if it is open."""
        likely = [branch for branch in ("main", "master") if branch in self.branches]
        only = self.branches if len(self.branches) == 1 else ()
        return next(iter((*likely, *only)), "")


@dataclass(frozen=True)
class Offer:
    """What can be chosen. ``failures`` are sentences, by the GitHub organisation that could not be listed."""

    repositories: Sequence[Listed]
    failures: dict[str, str]

    def find(self, url: str) -> Listed | None:
        """The repository at this address, if it can be chosen."""
        wanted = url.lower()
        return next((each for each in self.repositories if each.url.lower() == wanted), None)

    def has(self, url: str, branch: str) -> bool:
        """Whether this branch of this repository can be chosen."""
        found = self.find(url)
        return found is not None and branch in found.branches


class Catalogue:
    """Asks GitHub what organisations have, and remembers it; see :class:`Remembered`."""

    def __init__(
        self, github: GitHubClient, *, limit: float = TIME_LIMIT, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._github = github
        self._remembered = Remembered(self._list, limit=limit, clock=clock)

    def offer(self, organisations: Iterable[str], *, anew: bool = False) -> Offer:
        """The repositories of these organisations by name, without those that are not for research.

        One that cannot be listed does not hide the others. ``anew``: only what GitHub said just now will do;
        older answers are given if it says nothing.
        """
        known, failures = self._remembered.look(organisations, anew=anew)
        found = [each for repositories in known.values() for each in repositories]
        return Offer(sorted(found, key=lambda each: (each.name.lower(), each.owner.lower())), failures)

    def _list(self, organisation: str) -> tuple[Listed, ...]:
        return tuple(filter(None, map(_listed, self._github.repositories(organisation))))


def owner_in(url: str) -> str:
    """The GitHub organisation in a repository's address, in lower case; empty if it is no such address."""
    match = _URL.fullmatch(url)
    return match[1].lower() if match else ""


def _listed(repository: Repository) -> Listed | None:
    """The repository if it is for research and has an address that a workspace can keep."""
    match = _URL.fullmatch(repository.url) if isinstance(repository.url, str) else None
    if match is None or NOT_RESEARCH in repository.topics:
        return None
    branches = tuple(sorted({name for name in repository.branches if _is_usable(name)}, key=str.lower))
    return Listed(repository.url, match[1], match[2], branches)


def _is_usable(branch: object) -> bool:
    return isinstance(branch, str) and branch.strip() == branch != "" and branch.isprintable()
