"""Making a workspace: ``/<org>/<project>/new-workspace/`` (spec: pages 15.2)."""

from typing import Any

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.view import view_config, view_defaults

from jobserver.actions import workspaces as actions
from jobserver.actions.naming import Refused, Taken
from jobserver.db import release_connection
from jobserver.forms.workspaces import NewWorkspaceForm
from jobserver.queries import new_workspace as queries
from jobserver.queries.asking import givers_of_the_rest
from jobserver.resources import ProjectResource
from jobserver.resources.links import page_url, view_url
from jobserver.security.permissions import Permission
from jobserver.studies.catalogue import Catalogue, Offer
from jobserver.views.breadcrumbs import breadcrumbs
from jobserver.views.fields import texts

FIELD_AT_FAULT = {"name": "name", "branch": "branch", "repository": "repo"}


@view_defaults(context=ProjectResource, name="new-workspace", permission=Permission.WORKSPACE_CREATE)
class NewWorkspace:
    """The form, the branches of the repository chosen in it, and sending it."""

    def __init__(self, context: ProjectResource, request: Request) -> None:
        self.context = context
        self.request = request
        self.project = context.project

    @view_config(request_method="GET", renderer="jobserver:templates/workspace/new.jinja2")
    def show(self) -> dict[str, Any]:
        """The form, filled in as the address says."""
        organisations = self._organisations()
        if not organisations:
            return self._nothing_to_choose()
        form = NewWorkspaceForm(texts(self.request.GET))
        return self._page(form, self._offer(organisations, form))

    @view_config(
        request_method="GET",
        request_param="branches",
        renderer="jobserver:templates/workspace/new_branches.jinja2",
    )
    def branches(self) -> dict[str, Any]:
        """The list of branches alone, for the repository in the address."""
        form = NewWorkspaceForm(texts(self.request.GET))
        form.offer(self._offer(self._organisations(), form))
        return {"form": form}

    @view_config(request_method="POST", renderer="jobserver:templates/workspace/new.jinja2")
    def send(self) -> dict[str, Any] | HTTPSeeOther:
        """Make the workspace; with ``look`` only show the form again, with the branches to choose from."""
        organisations = self._organisations()
        if not organisations:
            return self._nothing_to_choose()
        form = NewWorkspaceForm(texts(self.request.POST))
        look = self.request.POST.get("look")
        offer = self._offer(organisations, form, anew=look == "anew")
        form.offer(offer)
        if not look and form.validate():
            made = self._make(form)
            if made is not None:
                return made
        return self._page(form, offer)

    def _organisations(self) -> list[str]:
        return queries.github_organisations(self.request.db, self.request.identity.org_ids)

    def _offer(self, organisations: list[str], form: NewWorkspaceForm, *, anew: bool = False) -> Offer:
        """What can be chosen. GitHub is asked again if what was chosen is not in what it said earlier."""
        release_connection(self.request)
        catalogue = _catalogue(self.request)
        offer = catalogue.offer(organisations, anew=anew)
        repo, branch = form.repo.data or "", form.branch.data or ""
        known = offer.has(repo, branch) if branch else offer.find(repo) is not None
        return offer if anew or known or not repo else catalogue.offer(organisations, anew=True)

    def _make(self, form: NewWorkspaceForm) -> HTTPSeeOther | None:
        """Make it; None if the form now says why not."""
        request, project, name = self.request, self.project, form.name.data or ""
        there = HTTPSeeOther(page_url(request, self.context.org.slug, project.slug, name))
        chosen = {"repo_url": form.repo.data, "branch": form.branch.data, "purpose": form.purpose.data}
        try:
            actions.create(request.db, by=request.identity, project=project, name=name, **chosen)
        except Refused as refused:
            me = request.identity.user_id
            taken = isinstance(refused, Taken)
            if taken and queries.made_before(
                request.db, project_id=project.id, user_id=me, name=name, **chosen
            ):
                return there
            field = form[FIELD_AT_FAULT[refused.field]]
            field.errors = [*field.errors, str(refused)]
            return None
        request.flash("success", f"Created the workspace {name}. Jobs can now be run in it.")
        return there

    def _page(self, form: NewWorkspaceForm, offer: Offer) -> dict[str, Any]:
        form.offer(offer)
        return {
            **self._frame(),
            "form": form,
            "offer": offer,
            "branches_url": view_url(self.request, self.context, "new-workspace", query={"branches": "1"}),
        }

    def _nothing_to_choose(self) -> dict[str, Any]:
        """The page of somebody whose organisations have no place at GitHub, or who has no organisation."""
        self.request.override_renderer = "jobserver:templates/workspace/no_organisation.jinja2"
        return {
            **self._frame(),
            "has_organisation": bool(self.request.identity.org_ids),
            "givers": givers_of_the_rest(),
        }

    def _frame(self) -> dict[str, Any]:
        return {
            "project": self.project,
            "project_url": view_url(self.request, self.context),
            "breadcrumbs": breadcrumbs(self.context, self.request, ("New workspace", None)),
        }


def _catalogue(request: Request) -> Catalogue:
    """The catalogue of this process."""
    registry = request.registry
    if "catalogue" not in registry:
        registry["catalogue"] = Catalogue(request.clients.github)
    found: Catalogue = registry["catalogue"]
    return found
