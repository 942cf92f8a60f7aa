"""Repositories in the staff area, and their sign-off (spec: staff 10)."""

from typing import Any
from urllib.parse import urlencode

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from jobserver.actions import repos as actions
from jobserver.models import Repo, utcnow
from jobserver.queries.staff import audit
from jobserver.queries.staff import repo_page as queries
from jobserver.queries.staff.repos import REPOS, SIGN_OFFS, state_of
from jobserver.resources.links import page_url
from jobserver.resources.staff import StaffRepo, StaffRepos
from jobserver.security.permissions import Permission
from jobserver.tasks.repo_issues import title_of
from jobserver.views.staff.listing import TEMPLATE, listed


@view_config(
    context=StaffRepos, permission=Permission.STAFF_AREA_VIEW, request_method="GET", renderer=TEMPLATE
)
def repos(context: StaffRepos, request: Request) -> dict[str, Any] | Response:
    """Every repository that a workspace was ever made of."""
    return listed(request, REPOS, part="repos", heading="Repositories", sign_offs=SIGN_OFFS)


@view_config(
    context=StaffRepo,
    permission=Permission.STAFF_AREA_VIEW,
    request_method="GET",
    renderer="jobserver:templates/staff/repos/page.jinja2",
)
def repo(context: StaffRepo, request: Request) -> dict[str, Any]:
    """What is known of one repository."""
    db, found = request.db, context.thing
    return {
        **_place(request, found),
        "about": queries.about(db, found),
        "contacts": queries.contacts(db, found.id),
        "projects": queries.projects(db, found.id),
        "workspaces": queries.workspaces(db, found.id),
        "events": audit.recent(db, "Repo", found.id),
        "breadcrumbs": [*_crumbs(request), (found.name, None, "mono")],
    }


@view_config(
    context=StaffRepo,
    name="sign-off",
    permission=Permission.STAFF_AREA_ACCESS,
    request_method="GET",
    renderer="jobserver:templates/staff/repos/sign_off.jinja2",
)
def ask(context: StaffRepo, request: Request) -> dict[str, Any]:
    """What signing off means, before it is done."""
    found = context.thing
    return {
        **_place(request, found),
        "about": queries.about(request.db, found),
        "breadcrumbs": [
            *_crumbs(request),
            (found.name, _url(request, found), "mono"),
            ("Sign off", None),
        ],
    }


@view_config(
    context=StaffRepo, name="sign-off", permission=Permission.STAFF_AREA_ACCESS, request_method="POST"
)
def sign_off(context: StaffRepo, request: Request) -> HTTPSeeOther:
    """Sign it off, once."""
    found = context.thing
    try:
        actions.sign_off(request.db, found, by=request.identity, may_with_outputs=_may_with_outputs(request))
    except actions.SignOffRefused as error:
        request.flash("danger", f"{found.name} was not signed off. {error}")
    else:
        request.flash(
            "success",
            f"{found.name} is signed off. An issue on GitHub asks for it to be made public.",
            _issues_url(request, found),
            "Find the issue",
        )
    return HTTPSeeOther(_url(request, found))


def _place(request: Request, repo: Repo) -> dict[str, Any]:
    settings = request.registry["settings"]
    return {
        "repo": repo,
        "state": state_of(repo),
        "sign_offs": SIGN_OFFS,
        "why_not": actions.why_not(repo, may_with_outputs=_may_with_outputs(request)),
        "tech_support": f"{settings.tech_support_github_org}/{settings.tech_support_repo}",
        "issues_url": _issues_url(request, repo),
        "now": utcnow(),
        "url": lambda *names: page_url(request, *names),
        "here": lambda *names: _url(request, repo, *names),
    }


def _may_with_outputs(request: Request) -> bool:
    return bool(request.has_permission(Permission.REPO_SIGN_OFF_WITH_OUTPUTS))


def _url(request: Request, repo: Repo, *names: str) -> str:
    return page_url(request, "staff", "repos", repo.owner, repo.name, *names)


def _issues_url(request: Request, repo: Repo) -> str:
    """Where the issue is found: its number is GitHub's to give."""
    settings = request.registry["settings"]
    place = (
        f"{settings.github_url.rstrip('/')}/{settings.tech_support_github_org}/{settings.tech_support_repo}"
    )
    query = urlencode({"q": f'is:issue in:title "{title_of(repo)}"'})
    return f"{place}/issues?{query}"


def _crumbs(request: Request) -> list[tuple[Any, ...]]:
    return [
        ("Staff area", page_url(request, "staff")),
        ("Repositories", page_url(request, "staff", "repos")),
    ]
