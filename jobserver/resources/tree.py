"""Org → Project → Workspace → JobRequest → Job: the branch that the public sees.

The rows of the whole path are loaded by one statement when the root is asked for an
organisation; each level then finds its row already there.
"""

from typing import Any

from pyramid.httpexceptions import HTTPMovedPermanently
from pyramid.request import Request
from pyramid.traversal import split_path_info

from jobserver import models
from jobserver.queries import addresses, path
from jobserver.resources.base import Resource
from jobserver.resources.links import page_url
from jobserver.resources.outputs import CHILDREN, InWorkspace
from jobserver.security import acl


def org_on_path(request: Request, slug: str, root: Resource) -> "OrgResource":
    """The organisation that the request's path begins with; KeyError if it names none."""
    segments = split_path_info(request.path_info)
    if not segments or segments[0] != slug:
        segments = (slug,)
    rows = path.load(request.db, segments)
    if rows.org is None:
        raise KeyError(slug)
    return OrgResource(root, rows.org, rows, segments)


def workspace_named(request: Request, name: str) -> "WorkspaceResource | None":
    """The workspace of this name, wherever it is in the tree; None if there is none."""
    rows = path.load_by_workspace(request.db, name)
    if rows.org is None or rows.project is None or rows.workspace is None:
        return None
    root: Resource = request.root
    project = ProjectResource(OrgResource(root, rows.org, rows, rows.workspace.path), rows.project)
    return WorkspaceResource(project, rows.workspace)


class OrgResource(Resource):
    """An organisation, ``/<org>/``."""

    def __init__(
        self, root: Resource, org: models.Org, rows: path.PathRows, segments: tuple[str, ...]
    ) -> None:
        super().__init__(root.request, org.slug, root)
        self.rows = rows
        self.segments = segments
        self.org = org

    def __getitem__(self, name: str) -> "ProjectResource":
        project = self.rows.project
        if project is None or project.slug != name:
            raise KeyError(name)
        if self.rows.is_canonical:
            return ProjectResource(self, project)
        if self.rows.collaborates and self.request.method in {"GET", "HEAD"}:
            lead = addresses.project_by_slug(self.request.db, name) or ()
            raise HTTPMovedPermanently(page_url(self.request, *lead, *self.segments[2:], keep_query=True))
        raise KeyError(name)


class ProjectResource(Resource):
    """A project, ``/<org>/<project>/``."""

    def __init__(self, parent: OrgResource, project: models.Project) -> None:
        super().__init__(parent.request, project.slug, parent)
        self.rows = parent.rows
        self.org = parent.org
        self.project = project

    @property
    def __acl__(self) -> list[Any]:  # type: ignore[override]
        return acl.project(self.project.id, self.rows.org_ids)

    def __getitem__(self, name: str) -> "WorkspaceResource":
        workspace = self.rows.workspace
        if workspace is None or workspace.name != name:
            raise KeyError(name)
        return WorkspaceResource(self, workspace)


class WorkspaceResource(Resource):
    """A workspace, ``/<org>/<project>/<workspace>/``."""

    def __init__(self, parent: ProjectResource, workspace: models.Workspace) -> None:
        super().__init__(parent.request, workspace.name, parent)
        self.rows = parent.rows
        self.org = parent.org
        self.project = parent.project
        self.workspace = workspace

    def __getitem__(self, name: str) -> "JobRequestResource | InWorkspace":
        if name in CHILDREN:
            return CHILDREN[name](self, name)
        job_request = self.rows.job_request
        if job_request is None or str(job_request.id) != name:
            raise KeyError(name)
        return JobRequestResource(self, job_request)


class JobRequestResource(Resource):
    """A job request, ``/<org>/<project>/<workspace>/<job request>/``."""

    def __init__(self, parent: WorkspaceResource, job_request: models.JobRequest) -> None:
        super().__init__(parent.request, str(job_request.id), parent)
        self.rows = parent.rows
        self.org = parent.org
        self.project = parent.project
        self.workspace = parent.workspace
        self.job_request = job_request

    @property
    def __acl__(self) -> list[Any]:  # type: ignore[override]
        return acl.job_request(self.job_request.created_by_id)

    def __getitem__(self, name: str) -> "JobResource":
        job = self.rows.job
        if job is not None and job.identifier == name:
            return JobResource(self, job)
        if name in self.request.registry.get("job_request_view_names", ()):
            raise KeyError(name)
        if self.request.method in {"GET", "HEAD"} and 4 <= len(name) < 16 and name.isalnum():
            identifier = path.job_by_prefix(self.request.db, self.job_request.id, name)
            if identifier:
                names = (*self.workspace.path, self.__name__, identifier)
                raise HTTPMovedPermanently(page_url(self.request, *names, keep_query=True))
        raise KeyError(name)


class JobResource(Resource):
    """A job, ``/<org>/<project>/<workspace>/<job request>/<identifier>/``."""

    def __init__(self, parent: JobRequestResource, job: models.Job) -> None:
        super().__init__(parent.request, job.identifier, parent)
        self.org = parent.org
        self.project = parent.project
        self.workspace = parent.workspace
        self.job_request = parent.job_request
        self.job = job
