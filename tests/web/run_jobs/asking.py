"""Somebody who may run jobs in a workspace, and what they send."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session
from webtest import TestResponse

from jobserver.models import Backend, JobRequest, Role, User, Workspace
from tests import factories as f
from tests.web.conftest import Browser

ASTHMA = "https://github.com/demo-university/asthma-study"


@dataclass
class Asking:
    """A workspace, somebody who may run jobs in it, and two backends."""

    workspace: Workspace
    user: User
    tpp: Backend
    emis: Backend
    url: str

    @classmethod
    def make(cls, repo_url: str, branch: str = "main", *, workspace: str = "", **names: str) -> "Asking":
        user = f.UserFactory()
        org = f.OrgFactory(name=names["org_name"]) if "org_name" in names else f.OrgFactory()
        project = f.ProjectFactory(org=org, **({"name": names["project"]} if "project" in names else {}))
        made = f.WorkspaceFactory(
            project=project,
            repo=f.RepoFactory(url=repo_url),
            branch=branch,
            **({"name": workspace} if workspace else {}),
        )
        f.ProjectMembershipFactory(project=project, user=user, roles=[Role.PROJECT_DEVELOPER])
        tpp, emis = (f.BackendFactory(slug=slug, name=slug.upper()) for slug in ("tpp", "emis"))
        for backend in (tpp, emis):
            f.BackendMembershipFactory(backend=backend, user=user)
        return cls(made, user, tpp, emis, f"/{org.slug}/{project.slug}/{made.name}/run-jobs/")

    @property
    def plan_url(self) -> str:
        return self.url.replace("/run-jobs/", "/run-jobs-plan/")

    @property
    def workspace_url(self) -> str:
        return self.url.removesuffix("run-jobs/")


def signed_in(browser: Browser, user: User) -> Browser:
    """A browser that has seen a page, and so has the token for sending forms."""
    browser.sign_in(user).get("/404", status=404)
    return browser


def sent(db: Session) -> list[JobRequest]:
    db.expire_all()
    return list(db.scalars(select(JobRequest).order_by(JobRequest.id)))


def tasks(db: Session) -> int:
    return int(db.scalar(text("SELECT count(*) FROM procrastinate_jobs")) or 0)


def ticked(page: TestResponse) -> list[str]:
    return [box["value"] for box in page.html.select("input[name=requested_actions][checked]")]


def fields(page: TestResponse, **more: Any) -> list[tuple[str, Any]]:
    """What a browser would send of the page's form, with changes."""
    kept = {name: page.html.select_one(f"input[name={name}]")["value"] for name in ("commit", "once")}
    given: list[tuple[str, Any]] = []
    for name, value in {**kept, **more}.items():
        given += [(name, each) for each in value] if isinstance(value, list) else [(name, value)]
    return given


def refused(page: TestResponse) -> str:
    assert page.status_code == 200
    assert page.html.title.get_text().startswith("Error: ")
    return str(page.html.select_one(".error-summary").get_text(" "))
