"""The branches of a repository as GitHub lists them, remembered for a while."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from jobserver.clients.github import Branches, GitHubClient
from jobserver.studies.remembered import Remembered

# Seconds. A page that is waited for longer had better say that it does not know.
TIME_LIMIT = 5.0


@dataclass(frozen=True)
class Looked:
    """What is known of a repository's branches, None if nothing is.

    ``failure``: why GitHub could not be asked just now, in a sentence.
    """

    known: Branches | None
    failure: str

    def has(self, branch: str) -> bool | None:
        """Whether there is such a branch; None if that is not known."""
        return branch in self.known.names if self.known else None


class BranchLists:
    """Asks GitHub for the branches of repositories; see :class:`Remembered`."""

    def __init__(
        self, github: GitHubClient, *, limit: float = TIME_LIMIT, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._github = github
        self._remembered = Remembered(self._list, limit=limit, clock=clock)

    def of(self, owner: str, name: str, *, anew: bool = False) -> Looked:
        """The branches of one repository. ``anew``: what GitHub said some minutes ago will not do."""
        full_name = f"{owner}/{name}"
        known, failures = self._remembered.look([full_name], anew=anew)
        return Looked(known.get(full_name), failures.get(full_name, ""))

    def _list(self, full_name: str) -> Branches:
        return self._github.branches(*full_name.split("/"))
