"""The root of the tree."""

from pyramid.request import Request

from jobserver.queries import addresses
from jobserver.queries.backends import backend_by_slug
from jobserver.queries.path import as_id
from jobserver.resources.api import Api
from jobserver.resources.base import Resource
from jobserver.resources.people import SettingsResource, Users
from jobserver.resources.repositories import OldSignOffs, Repos
from jobserver.resources.staff import StaffArea
from jobserver.resources.tree import org_on_path
from jobserver.resources.uploads import Uploads
from jobserver.security import acl


class Root(Resource):
    """``/``. Its fixed children come first; every other name is an organisation's."""

    __acl__ = acl.ROOT

    def __init__(self, request: Request) -> None:
        super().__init__(request, "", None)

    def __getitem__(self, name: str) -> Resource:
        if name in CHILDREN:
            return CHILDREN[name](self.request, name, self)
        if name in self.request.registry.get("root_view_names", ()):
            raise KeyError(name)
        return org_on_path(self.request, name, self)


class Health(Resource):
    """``/health/``: what monitors ask."""


class Status(Resource):
    """``/status/``: the backends."""

    def __getitem__(self, name: str) -> "BackendStatus":
        return BackendStatus(self.request, name, self)


class BackendStatus(Resource):
    """``/status/<backend>/``."""

    def __init__(self, request: Request, name: str, parent: Resource) -> None:
        super().__init__(request, name, parent)
        found = backend_by_slug(request.db, name)
        if found is None:
            raise KeyError(name)
        self.backend = found


class JobRequestAddresses(Resource):
    """``/job-requests/<id>/``: short addresses of job requests."""

    def __getitem__(self, name: str) -> "ShortAddress":
        job_request_id = as_id(name)
        names = addresses.job_request_by_id(self.request.db, job_request_id) if job_request_id else None
        return ShortAddress(self.request, name, self, names)


class JobAddresses(Resource):
    """``/jobs/<identifier>/``: short addresses of jobs."""

    def __getitem__(self, name: str) -> "ShortAddress":
        return ShortAddress(self.request, name, self, addresses.job_by_identifier(self.request.db, name))


class ShortAddress(Resource):
    """A short address that leads to a page of the tree; KeyError if it leads nowhere."""

    def __init__(self, request: Request, name: str, parent: Resource, names: addresses.Names | None) -> None:
        super().__init__(request, name, parent)
        if names is None:
            raise KeyError(name)
        self.names = names


CHILDREN: dict[str, type[Resource]] = {
    "api": Api,
    "health": Health,
    "status": Status,
    "job-requests": JobRequestAddresses,
    "jobs": JobAddresses,
    "publish-repo": OldSignOffs,
    "repo": Repos,
    "settings": SettingsResource,
    "staff": StaffArea,
    "uploads": Uploads,
    "users": Users,
}
