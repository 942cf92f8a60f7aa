"""What must stay true (architecture): each has a test that fails when it does not."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from pyramid.config import Configurator
from pyramid.exceptions import ConfigurationError, ConfigurationExecutionError
from pyramid.request import Request
from pyramid_tm import explicit_manager
from sqlalchemy import text
from sqlalchemy.exc import InternalError

import jobserver.views
from jobserver import db as database
from jobserver.actions import backends, naming, orgs, projects
from jobserver.models import Base, utcnow
from jobserver.resources import Root
from jobserver.resources.root import CHILDREN
from jobserver.resources.staff import StaffOrgs, StaffProjects
from jobserver.security import tokens
from tests import factories as f
from tests.web.conftest import Browser

PUBLIC = {
    "health-check",
    "ready",
    "login",
    "github",
    "complete",
    "enter-your-name",
    "logout",
    "favicon.ico",
    "robots.txt",
    "400",
    "403",
    "404",
    "500",
}


def our_views(app: Any) -> list[dict[str, Any]]:
    """Every view of ours, as Pyramid describes it."""
    views = [entry["introspectable"] for entry in app.registry.introspector.get_category("views")]
    return [
        view
        for view in views
        if (getattr(view["callable"], "__module__", "") or "").startswith("jobserver.")
        and not view.get("exception_only")
    ]


def test_a_safe_request_cannot_write(app: Any, db: Any) -> None:
    """1. PostgreSQL itself refuses a GET that writes."""
    request = Request.blank("/")
    request.registry = app.registry
    request.tm = explicit_manager(request)
    request.tm.begin()
    session = database.request_session(request)
    with pytest.raises(InternalError, match="read-only transaction"):
        session.execute(
            text("INSERT INTO site_alert (message, created_at, updated_at) VALUES ('x', now(), now())")
        )
    request.tm.abort()


def test_the_only_view_that_writes_on_get_is_the_return_from_github() -> None:
    """1. The list of exceptions is one long: OAuth itself makes that address a GET."""
    folder = Path(jobserver.views.__file__).parent
    writing = [
        path.name
        for path in folder.rglob("*.py")
        for line in path.read_text().splitlines()
        if "writes_on_get=True" in line
    ]
    assert writing == ["sign_in.py"]


def test_every_view_names_a_permission_or_is_on_the_public_list(app: Any) -> None:
    """2. The short list of public ones."""
    public = {view["name"] for view in our_views(app) if view.get("public")}
    assert public <= PUBLIC


def test_a_view_without_a_permission_does_not_load() -> None:
    """2. The author need not remember: the application refuses to start."""
    config = Configurator()
    config.include("jobserver.http.derivers")

    def careless(context: Any, request: Any) -> Any:
        raise NotImplementedError

    config.add_view(careless, name="careless")
    with pytest.raises((ConfigurationError, ConfigurationExecutionError), match="names no permission"):
        config.commit()


def test_every_name_that_the_root_already_has_is_reserved(app: Any) -> None:
    """The addresses page: no organisation and no project can take one."""
    views = {view["name"] for view in our_views(app) if view["context"] is Root} - {""}
    assert views | set(CHILDREN) <= naming.RESERVED_AT_ROOT
    assert "static" in naming.RESERVED_AT_ROOT


def test_every_name_that_a_project_or_workspace_already_has_is_reserved(app: Any) -> None:
    from jobserver.resources import OrgResource, ProjectResource

    in_project = {view["name"] for view in our_views(app) if view["context"] is ProjectResource} - {""}
    assert in_project <= naming.RESERVED_IN_PROJECT
    in_org = {view["name"] for view in our_views(app) if view["context"] is OrgResource} - {""}
    assert in_org <= naming.RESERVED_AT_ROOT | naming.RESERVED_IN_ORG


def test_every_name_that_a_list_of_staff_already_has_is_reserved(app: Any) -> None:
    """What took one could be managed no more."""
    for context, reserved in (
        (StaffOrgs, orgs.IN_STAFF_AREA),
        (StaffProjects, projects.IN_STAFF_AREA),
    ):
        assert {view["name"] for view in our_views(app) if view["context"] is context} - {""} <= reserved


@pytest.mark.parametrize("roles", [[], ["StaffAreaAdministrator"]])
def test_no_page_writes_when_it_is_read(
    web: Browser, count_statements: Callable[[], Any], roles: list[str]
) -> None:
    """1. Every page of a small world, read by a stranger and by staff, sends no write."""
    job = f.JobFactory(status="running", status_code="executing")
    request = job.job_request
    workspace, project = request.workspace, request.workspace.project
    base = f"/{project.org.slug}/{project.slug}/{workspace.name}/"
    pages = [
        "/",
        "/status/",
        "/event-log/",
        "/login/",
        "/ui-components/",
        f"/{project.org.slug}/",
        f"/{project.org.slug}/logs/",
        f"/{project.org.slug}/{project.slug}/",
        f"/{project.org.slug}/{project.slug}/logs/",
        base,
        base + "logs/",
        f"{base}{request.id}/",
        f"{base}{request.id}/{job.identifier}/",
        f"/status/{request.backend.slug}/",
    ]
    if roles:
        web.sign_in(f.UserFactory(roles=roles))
        pages.remove("/login/")
    for page in pages:
        with count_statements() as statements:
            web.get(page, status=200)
        assert statements.writes == [], page
        assert len(statements) <= 12, page


@pytest.mark.parametrize("who", ["anonymous", "developer", "staff"])
def test_no_page_links_to_a_page_that_does_not_exist(web: Browser, who: str) -> None:
    """Every link of the site's own that can be reached by following links, for each kind of reader."""
    membership = f.ProjectMembershipFactory(roles=["ProjectDeveloper"])
    workspace = f.WorkspaceFactory(project=membership.project)
    request = f.JobRequestFactory(
        workspace=workspace, created_by=membership.user, status="failed", jobs_failed=1
    )
    f.JobFactory(job_request=request, status="failed", status_code="nonzero_exit")
    f.OrgMembershipFactory(org=membership.project.org, user=membership.user)
    _something_came_out(workspace, membership.user)
    if who == "developer":
        f.BackendMembershipFactory(user=membership.user, backend=request.backend)
        web.sign_in(membership.user)
    if who == "staff":
        web.sign_in(f.UserFactory(roles=["StaffAreaAdministrator"]))
    waiting, seen = ["/"], set()
    while waiting:
        path = waiting.pop()
        answer = web.get(path, status="*")
        assert answer.status_code < 400, f"{path} answers {answer.status}"
        if answer.content_type != "text/html":
            continue
        for link in answer.html.find_all("a", href=True):
            target = urlsplit(urljoin(f"http://localhost{path}", link["href"]))
            address = target.path + (f"?{target.query}" if target.query else "")
            if target.netloc == "localhost" and address not in seen and "next=" not in address:
                seen.add(address)
                waiting.append(address)
    assert len(seen) > 8


def _something_came_out(workspace: Any, author: Any) -> None:
    release = f.ReleaseFactory(workspace=workspace)
    f.ReleaseRequestFactory(id=release.id, workspace=workspace, author=author, state="returned")
    public = f.SnapshotFactory(workspace=workspace, files=[f.ReleaseFileFactory(release=release)])
    decided = {"decision_at": utcnow(), "decision_by": release.created_by}
    f.PublishRequestFactory(snapshot=public, decision="approved", **decided)


def test_secrets_are_kept_as_digests_only(web: Browser, db: Any) -> None:
    """6. Neither a session's cookie nor a backend's token can be read out of the database."""
    user = f.UserFactory()
    web.sign_in(user).get("/", status=200)
    cookie = web.cookies["sessionid"].strip('"')
    _, token = backends.create(db, slug="tpp", name="TPP", by=user)
    db.commit()
    stored = ""
    for table in Base.metadata.sorted_tables:
        stored += "\n".join(db.scalars(text(f'SELECT t::text FROM "{table.name}" t')))
    assert tokens.digest(cookie) in stored
    assert tokens.digest(token) in stored
    assert cookie not in stored
    assert token not in stored
