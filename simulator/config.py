"""What the simulated world consists of, read from ``demo.json`` (or a test's own file or dict)."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

DEMO_FILE = Path(__file__).parent / "demo.json"
# Files that came out of the backends of the demonstration: workspace, backend, number.
RELEASED = Path(__file__).parent / "released"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Person(_Part):
    """Somebody who can sign in at the simulated GitHub; an empty name is one never filled in."""

    github_id: int
    login: str
    name: str | None
    email: str
    public_email: bool = False
    roles: list[str] = []
    backends: list[str] = []
    organisations: list[str] = []
    registered: bool = True


class Backend(_Part):
    """A secure environment that jobs run in."""

    slug: str
    name: str
    is_active: bool = True


class Workers(_Part):
    """How many jobs of each kind a backend runs at once."""

    jobs: int = 3
    db_jobs: int = 2


class OAuthClient(_Part):
    """An application registered at GitHub."""

    id: str
    secret: str
    name: str = "Job server"


class Author(_Part):
    """Who made a commit."""

    name: str
    email: str


class CommitPlan(_Part):
    """One commit to be made: the files of ``directory`` that match ``files`` are laid over the parent's."""

    branch: str = "main"
    parent: str | None = Field(None, alias="from", description="branch that a new branch starts from")
    message: str
    author: Author
    at: datetime
    directory: str
    files: list[str] = ["**/*"]
    remove: list[str] = []


class RepositoryPlan(_Part):
    """A repository at the simulated GitHub and how its history came about."""

    name: str
    private: bool = False
    description: str = ""
    topics: list[str] = []
    labels: list[str] = []
    default_branch: str = "main"
    created_at: datetime
    commits: list[CommitPlan] = []
    tags: dict[str, str] = {}

    @property
    def owner(self) -> str:
        """The organisation it belongs to."""
        return self.name.partition("/")[0]

    @property
    def short_name(self) -> str:
        """Its name below the organisation."""
        return self.name.partition("/")[2]


class ActionPlan(_Part):
    """How a job of one action goes: seconds it runs at speed 1, and how it ends."""

    seconds: float | None = None
    outcome: str = "succeeded"
    message: str | None = None


class Settings(_Part):
    """The ``simulator`` part of the file: what the simulated services know and allow."""

    rap_tokens: dict[str, list[str]] = {}
    allowed_hosts: list[str] = []
    allowed_github_orgs: list[str] = []
    actions_github_org: str = "opensafely-actions"
    workers: dict[str, Workers] = {}
    oauth_clients: list[OAuthClient] = []
    github_tokens: list[str] = []
    slack_tokens: list[str] = []
    stale_codelists: list[str] = []
    default_seconds: float = 5
    actions: dict[str, dict[str, ActionPlan]] = {}
    repositories: list[RepositoryPlan] = []


class Config(BaseModel):
    """The whole file. The rest of it (organisations, projects, ...) is for loading the demonstration."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    people: list[Person] = []
    backends: list[Backend] = []
    simulator: Settings = Settings()
    directory: Path = DEMO_FILE.parent

    def person(self, login: str | None) -> Person | None:
        """The person of that GitHub user name."""
        return next((person for person in self.people if person.login == login), None)

    def action_plan(self, repository: str, action: str) -> ActionPlan:
        """How a job of that action of that repository (``owner/name``) goes."""
        return self.simulator.actions.get(repository, {}).get(action, ActionPlan())


def load(source: Path | dict[str, Any] | None = None) -> Config:
    """The configuration from a file or a dict; the demonstration's own without either.

    Directories in it are relative to the file; a dict names its own ``directory``.
    Raises ``pydantic.ValidationError`` naming what is wrong.
    """
    if isinstance(source, dict):
        return Config.model_validate(source)
    path = source or DEMO_FILE
    return Config.model_validate({**json.loads(path.read_text()), "directory": path.resolve().parent})
