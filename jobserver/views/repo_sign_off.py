"""Where researchers sign off a repository and its workspaces for publication (spec: pages 20.2)."""

from typing import Any

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.view import view_config, view_defaults

from jobserver.actions import repos as actions
from jobserver.db import release_connection
from jobserver.models import utcnow
from jobserver.queries import sign_off as queries
from jobserver.resources.links import page_url, view_url
from jobserver.resources.repositories import RepoResource
from jobserver.security.permissions import Permission
from jobserver.studies.branches import BranchLists, Looked
from jobserver.views.fields import says_yes, texts
from jobserver.views.on_github import OnGithub

TEMPLATE = "jobserver:templates/repo/sign_off.jinja2"


@view_defaults(context=RepoResource, name="sign-off", permission=Permission.REPO_SIGN_OFF, renderer=TEMPLATE)
class SignOff:
    """What is to be signed off, and signing it off."""

    def __init__(self, context: RepoResource, request: Request) -> None:
        self.context = context
        self.request = request
        self.repo = context.repo

    @view_config(request_method="GET")
    def show(self) -> dict[str, Any]:
        """The page. ``again=1`` in the address: GitHub is asked anew."""
        return self._page(anew=says_yes(self.request.GET.get("again")))

    @view_config(request_method="POST")
    def sign(self) -> dict[str, Any] | HTTPSeeOther:
        """Sign off the workspace that the field ``name`` names; without the field, the repository."""
        request, name = self.request, texts(self.request.POST).get("name")
        try:
            if "name" in request.POST:
                actions.sign_off_workspace(request.db, self.repo, name or "", by=request.identity)
                words = f"You signed off the workspace {name}."
            else:
                actions.sign_off_as_researcher(request.db, self.repo, by=request.identity)
                words = f"You signed off {self.repo.name}. The OpenSAFELY team looks at it next."
        except actions.SignOffRefused as refused:
            if isinstance(refused, actions.SignedOffBefore):
                request.response.status_code = 409
            return self._page(fault=str(refused))
        request.flash("success", words)
        return HTTPSeeOther(view_url(request, self.context, "sign-off"))

    def _page(self, *, anew: bool = False, fault: str = "") -> dict[str, Any]:
        looked = self._look(anew=anew)
        request, repo = self.request, self.repo
        workspaces = queries.workspaces(request.db, repo, request.identity)
        used = {each.branch for each in workspaces}
        signed = sum(1 for each in workspaces if each.signed_off_at)
        here = view_url(request, self.context, "sign-off")
        return {
            "repo": repo,
            "fault": fault,
            "workspaces": workspaces,
            "projects": list({each.project_path: each for each in workspaces}.values()),
            "looked": looked,
            "others": [name for name in looked.known.names if name not in used] if looked.known else [],
            "now_called": self._new_name(looked),
            "signed": signed,
            "why_not": actions.why_not_as_researcher(len(workspaces), signed),
            "researcher": queries.researcher(request.db, repo),
            "github": OnGithub(request.registry["settings"], repo),
            "here": here,
            "again_url": view_url(request, self.context, "sign-off", query={"again": "1"}),
            "now": utcnow(),
            "url": lambda *names, **query: page_url(request, *names, query=query),
            "breadcrumbs": [
                ("Repositories", None),
                (repo.name, view_url(request, self.context), "mono"),
                ("Sign off", None),
            ],
        }

    def _look(self, *, anew: bool) -> Looked:
        """What GitHub says of the branches; no transaction is open meanwhile."""
        release_connection(self.request)
        return _branch_lists(self.request).of(self.repo.owner, self.repo.name, anew=anew)

    def _new_name(self, looked: Looked) -> str:
        """What GitHub calls the repository now, if that is another name."""
        name = looked.known.full_name if looked.known else ""
        return name if name.lower() != f"{self.repo.owner}/{self.repo.name}".lower() else ""


def _branch_lists(request: Request) -> BranchLists:
    """The branches that this process remembers."""
    registry = request.registry
    if "branch_lists" not in registry:
        registry["branch_lists"] = BranchLists(request.clients.github)
    found: BranchLists = registry["branch_lists"]
    return found
