"""The repositories at the simulated GitHub, with what GitHub knows of them beside their git history."""

from dataclasses import dataclass
from pathlib import Path

from simulator import git
from simulator.config import ActionPlan, Config, RepositoryPlan


@dataclass(frozen=True)
class Repository:
    """One repository: its description and its git data. ``number`` is its id at GitHub."""

    number: int
    plan: RepositoryPlan
    git: git.Git

    @property
    def name(self) -> str:
        """Owner and name, as in its address."""
        return self.plan.name


class Repositories:
    """All of them, made in the data directory at first start."""

    def __init__(self, config: Config, root: Path) -> None:
        self.config = config
        self._all = {
            plan.name.lower(): Repository(7000 + number, plan, git.prepare(plan, config.directory, root))
            for number, plan in enumerate(config.simulator.repositories, start=1)
        }

    def find(self, owner: str, name: str) -> Repository | None:
        """The repository of that address; upper and lower case do not matter, as at GitHub."""
        return self._all.get(f"{owner}/{name}".lower())

    def of(self, owner: str) -> list[Repository]:
        """An organisation's repositories."""
        return [found for found in self._all.values() if found.plan.owner.lower() == owner.lower()]

    @property
    def owners(self) -> list[str]:
        """Organisations that have a repository."""
        return sorted({found.plan.owner for found in self._all.values()})

    def action_plan(self, repository: str, action: str) -> ActionPlan:
        """How a job of an action goes."""
        return self.config.action_plan(repository, action)
