"""The JSON API, ``/api/v2/``: an address for each thing that another program asks for or tells.

An address that concerns a workspace hangs below that workspace's own resource, so that the same access lists
decide as on its pages. Spec: airlock 2, rap 10.
"""

from typing import Any, ClassVar

from jobserver.resources.api.base import Endpoint, NothingMatches, Section, nothing_matches
from jobserver.resources.api.older import JobRequestsEndpoint, JobsEndpoint, UserEndpoint, UsersSection
from jobserver.resources.api.releases import (
    FileEndpoint,
    Level4Authentication,
    Level4Authorisation,
    ReleaseEndpoint,
    ReleaseReviews,
    ReleasesSection,
    WorkspaceReleases,
)
from jobserver.resources.api.workspaces import (
    SnapshotEndpoint,
    SnapshotPublication,
    Snapshots,
    WorkspacesSection,
    WorkspaceStatus,
    WorkspaceStatuses,
)
from jobserver.resources.base import Resource
from jobserver.resources.proofs import Proof

__all__ = [
    "AirlockEvents",
    "Api",
    "Documentation",
    "Endpoint",
    "FileEndpoint",
    "JobRequestsEndpoint",
    "JobsEndpoint",
    "Level4Authentication",
    "Level4Authorisation",
    "NothingMatches",
    "ReleaseEndpoint",
    "ReleaseReviews",
    "SnapshotEndpoint",
    "SnapshotPublication",
    "Snapshots",
    "UserEndpoint",
    "WorkspaceReleases",
    "WorkspaceStatus",
    "WorkspaceStatuses",
    "answers_machines",
    "nothing_matches",
]


class AirlockEvents(Endpoint):
    """``airlock/events/``: what happened to a release request."""

    proof = Proof.BACKEND
    ends_in_slash = True


class Documentation(Resource):
    """``docs/``: the API, for reading; ``docs/openapi.json``: for programs."""


class _Events(Section):
    children: ClassVar[dict[str, type[Resource]]] = {"events": AirlockEvents}


class Version2(Section):
    """``/api/v2/``."""

    children: ClassVar[dict[str, type[Resource]]] = {
        "airlock": _Events,
        "docs": Documentation,
        "job-requests": JobRequestsEndpoint,
        "jobs": JobsEndpoint,
        "releases": ReleasesSection,
        "users": UsersSection,
        "workspaces": WorkspacesSection,
    }


class Api(Section):
    """``/api/``."""

    children: ClassVar[dict[str, type[Resource]]] = {"v2": Version2}


def answers_machines(context: Any) -> bool:
    """Whether the resource is an address of the API, whose errors are JSON."""
    return isinstance(
        context, Endpoint | ReleaseReviews | SnapshotEndpoint | SnapshotPublication | Documentation
    )
