"""The tree: what an address names, and what its place in the tree grants."""

from pyramid.config import Configurator

from jobserver.resources.base import Resource
from jobserver.resources.people import SettingsResource, UserResource, Users
from jobserver.resources.root import BackendStatus, Health, Root, ShortAddress, Status
from jobserver.resources.tree import (
    JobRequestResource,
    JobResource,
    OrgResource,
    ProjectResource,
    WorkspaceResource,
)

__all__ = [
    "BackendStatus",
    "Health",
    "JobRequestResource",
    "JobResource",
    "OrgResource",
    "ProjectResource",
    "Resource",
    "Root",
    "SettingsResource",
    "ShortAddress",
    "Status",
    "UserResource",
    "Users",
    "WorkspaceResource",
]


def includeme(config: Configurator) -> None:
    """Walk the tree for every request."""
    config.set_root_factory(Root)
