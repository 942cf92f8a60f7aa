"""``/staff/``: where the service is run (spec: staff).

Whoever lacks a page's permission is told so whether or not the thing exists: a resource is made of its name
alone, and the thing is looked up when a view asks for it.
"""

from functools import cached_property
from typing import Generic, TypeVar
from urllib.parse import unquote

from pyramid.httpexceptions import HTTPMovedPermanently, HTTPNotFound
from pyramid.request import Request

from jobserver import models
from jobserver.queries.staff import things
from jobserver.resources.base import Resource
from jobserver.resources.links import page_url

Thing = TypeVar("Thing")


class StaffArea(Resource):
    """``/staff/``."""

    def __getitem__(self, name: str) -> Resource:
        return CHILDREN[name](self.request, name, self)


class _Item(Resource, Generic[Thing]):
    """A thing that staff look after, by its name in the address."""

    def _find(self) -> Thing | None:
        raise NotImplementedError

    @cached_property
    def thing(self) -> Thing:
        """The thing itself. Raises :class:`HTTPNotFound`."""
        if (found := self._find()) is None:
            raise HTTPNotFound
        return found


class StaffUser(_Item[models.User]):
    """``/staff/users/<username>/``."""

    def _find(self) -> models.User | None:
        return things.user(self.request.db, self.__name__)

    def __getitem__(self, name: str) -> Resource:
        if name == "roles":
            return StaffUserRoles(self)
        raise KeyError(name)


class StaffUserRoles(Resource):
    """``/staff/users/<username>/roles/``: the global roles of this user."""

    def __init__(self, user: StaffUser) -> None:
        super().__init__(user.request, "roles", user)
        self.user = user


class StaffOrg(_Item[models.Org]):
    """``/staff/orgs/<slug>/``."""

    def _find(self) -> models.Org | None:
        return things.org(self.request.db, self.__name__)


class StaffMembership(_Item[models.ProjectMembership]):
    """``/staff/projects/<slug>/members/<id>/``: a membership of this project."""

    def __init__(self, request: Request, name: str, parent: "StaffMemberships") -> None:
        super().__init__(request, name, parent)
        self.project = parent.project

    def _find(self) -> models.ProjectMembership | None:
        return things.membership(self.request.db, self.project.thing.id, self.__name__)


class StaffMemberships(Resource):
    """``/staff/projects/<slug>/members/``."""

    def __init__(self, project: "StaffProject") -> None:
        super().__init__(project.request, "members", project)
        self.project = project

    def __getitem__(self, name: str) -> StaffMembership:
        return StaffMembership(self.request, name, self)


class StaffProject(_Item[models.Project]):
    """``/staff/projects/<slug>/``."""

    def _find(self) -> models.Project | None:
        return things.project(self.request.db, self.__name__)

    def __getitem__(self, name: str) -> Resource:
        if name == "members":
            return StaffMemberships(self)
        raise KeyError(name)


class StaffWorkspace(_Item[models.Workspace]):
    """``/staff/workspaces/<name>/``."""

    def _find(self) -> models.Workspace | None:
        return things.workspace(self.request.db, self.__name__)


class StaffJobRequest(_Item[models.JobRequest]):
    """``/staff/job-requests/<id>/``."""

    def _find(self) -> models.JobRequest | None:
        return things.job_request(self.request.db, self.__name__)


class StaffBackend(_Item[models.Backend]):
    """``/staff/backends/<id>/``."""

    def _find(self) -> models.Backend | None:
        return things.backend(self.request.db, self.__name__)


class StaffRepo(_Item[models.Repo]):
    """``/staff/repos/<owner>/<name>/``."""

    def _find(self) -> models.Repo | None:
        owner = self.__parent__.__name__ if self.__parent__ else ""
        return things.repo(self.request.db, owner, self.__name__)


class StaffRepoOwner(Resource):
    """``/staff/repos/<owner>/``: no page of its own."""

    def __getitem__(self, name: str) -> StaffRepo:
        return StaffRepo(self.request, name, self)


class StaffRedirect(_Item[models.Redirect]):
    """``/staff/redirects/<id>/``."""

    def _find(self) -> models.Redirect | None:
        return things.redirect(self.request.db, self.__name__)


class StaffSiteAlert(_Item[models.SiteAlert]):
    """``/staff/site-alerts/edit/<id>/``."""

    def _find(self) -> models.SiteAlert | None:
        return things.site_alert(self.request.db, self.__name__)


class StaffSiteAlertToDelete(StaffSiteAlert):
    """``/staff/site-alerts/delete/<id>/``."""


class StaffApplication(_Item[models.Application]):
    """``/staff/applications/<hash>/``."""

    def _find(self) -> models.Application | None:
        return things.application(self.request.db, self.__name__)


class _Items(Resource):
    """A list of things; ``item`` is the resource of each."""

    item: type[Resource]

    def __getitem__(self, name: str) -> Resource:
        if name in self.request.registry.get("staff_view_names", {}).get(type(self), ()):
            raise KeyError(name)
        return self.item(self.request, name, self)


class StaffUsers(_Items):
    """``/staff/users/``."""

    item = StaffUser


class StaffOrgs(_Items):
    """``/staff/orgs/``."""

    item = StaffOrg


class StaffProjects(_Items):
    """``/staff/projects/``."""

    item = StaffProject


class StaffWorkspaces(_Items):
    """``/staff/workspaces/``."""

    item = StaffWorkspace


class StaffJobRequests(_Items):
    """``/staff/job-requests/``."""

    item = StaffJobRequest


class StaffBackends(_Items):
    """``/staff/backends/``."""

    item = StaffBackend


class StaffRepos(_Items):
    """``/staff/repos/``; what today's addresses name by a quoted URL has moved."""

    item = StaffRepoOwner

    def __getitem__(self, name: str) -> Resource:
        url = unquote(name)
        if url.startswith("https://github.com/") and self.request.method in {"GET", "HEAD"}:
            names = url.removeprefix("https://github.com/").strip("/").split("/")
            raise HTTPMovedPermanently(page_url(self.request, "staff", "repos", *names))
        return super().__getitem__(name)


class StaffRedirects(_Items):
    """``/staff/redirects/``."""

    item = StaffRedirect


class StaffApplications(_Items):
    """``/staff/applications/``."""

    item = StaffApplication


class StaffSiteAlerts(Resource):
    """``/staff/site-alerts/``."""

    def __getitem__(self, name: str) -> Resource:
        return {"edit": _AlertsToEdit, "delete": _AlertsToDelete}[name](self.request, name, self)


class _AlertsToEdit(_Items):
    item = StaffSiteAlert


class _AlertsToDelete(_Items):
    item = StaffSiteAlertToDelete


class StaffAudit(Resource):
    """``/staff/audit/``: everything that was done."""


class StaffTasks(Resource):
    """``/staff/tasks/``: what is to be delivered, was, or could not be."""


class StaffDashboards(Resource):
    """``/staff/dashboards/``."""


class StaffSentry(Resource):
    """``/staff/sentry/``: whether errors are reported."""


class StaffAccess(Resource):
    """``/staff/access/``: who may do what, and why."""


CHILDREN: dict[str, type[Resource]] = {
    "access": StaffAccess,
    "applications": StaffApplications,
    "audit": StaffAudit,
    "backends": StaffBackends,
    "dashboards": StaffDashboards,
    "job-requests": StaffJobRequests,
    "orgs": StaffOrgs,
    "projects": StaffProjects,
    "redirects": StaffRedirects,
    "repos": StaffRepos,
    "sentry": StaffSentry,
    "site-alerts": StaffSiteAlerts,
    "tasks": StaffTasks,
    "users": StaffUsers,
    "workspaces": StaffWorkspaces,
}
