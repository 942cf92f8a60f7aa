"""Where a study is, and what was read there."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from jobserver.clients.github import Commit
from jobserver.pipeline import Pipeline, Plan


class Codelists(StrEnum):
    """Whether the study's codelists are what OpenCodelists publishes; without codelists they are current."""

    CURRENT = "current"
    STALE = "stale"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Place:
    """A branch of a repository at GitHub, and whether its project may use sqlrunner."""

    owner: str
    name: str
    branch: str
    sqlrunner_permitted: bool = False

    @property
    def repository(self) -> str:
        """Owner and name, as people write them."""
        return f"{self.owner}/{self.name}"


@dataclass(frozen=True)
class Study:
    """Everything that a job request needs to know, all of it from the same commit.

    ``definition`` is the text of ``project.yaml``. The commit's message and author can be stored and shown.
    """

    commit: Commit
    definition: str
    pipeline: Pipeline
    codelists: Codelists

    @property
    def codelists_ok(self) -> bool:
        """What the controller is told; it refuses jobs that read the database without it."""
        return self.codelists is Codelists.CURRENT

    def plan(self, requested: Iterable[str], states: Mapping[str, str | None], *, force: bool) -> Plan:
        """What the controller would do with a request: see :meth:`jobserver.pipeline.Pipeline.plan`."""
        return self.pipeline.plan(requested, states, force)

    def refused(self, plan: Plan) -> tuple[str, ...]:
        """The actions of the plan that cannot run because the codelists are not known to be current."""
        return () if self.codelists_ok else plan.reads_database
