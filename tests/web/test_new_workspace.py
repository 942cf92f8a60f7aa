"""Making a workspace on a repository that (simulated) GitHub lists."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from jobserver.models import AuditableEvent, AuditType, Org, Project, Repo, User, Workspace
from jobserver.studies.catalogue import Catalogue, Listed
from jobserver.studies.remembered import Answer
from tests import factories as f
from tests.contract.recorded import Timed
from tests.unit.rap.eventually import eventually
from tests.web.conftest import Browser

ASTHMA = "https://github.com/demo-university/asthma-study"
DIABETES = "https://github.com/other-institute/diabetes-study"


def path(project: Project, more: str = "") -> str:
    return f"/{project.org.slug}/{project.slug}/new-workspace/{more}"


@pytest.fixture
def project(db: Session) -> Project:
    made: Project = f.ProjectFactory(name="Asthma", org=f.OrgFactory(github_orgs=["demo-university"]))
    return made


@pytest.fixture
def user(project: Project) -> User:
    made: User = f.UserFactory()
    f.ProjectMembershipFactory(project=project, user=made, roles=["ProjectDeveloper"])
    f.OrgMembershipFactory(org=project.org, user=made)
    return made


@pytest.fixture
def browser(world: Any, world_web: Browser, world_app: Any, user: User) -> Iterator[Browser]:
    """The developer's browser; nothing is remembered of what GitHub listed to others."""
    world_app.registry.pop("catalogue", None)
    world.control(clear=["requests"])
    yield world_web.sign_in(user)
    world_app.registry.pop("catalogue", None)


def filled(**more: str | None) -> dict[str, str]:
    given = {
        "name": "asthma-new",
        "purpose": "Inhalers",
        "repo": ASTHMA,
        "branch": "main",
        **more,
    }
    return {name: value for name, value in given.items() if value is not None}


def made(db: Session) -> list[Workspace]:
    db.commit()
    return list(db.scalars(select(Workspace).order_by(Workspace.id)))


def options(page: Any, name: str) -> list[str]:
    return [each["value"] for each in page.html.select(f"select[name={name}] option")]


def chosen(page: Any, name: str) -> str | None:
    found = page.html.select_one(f"select[name={name}] option[selected]")
    return str(found["value"]) if found else None


def errors(page: Any) -> dict[str, str]:
    """The messages of the summary by the field that they link to."""
    assert page.html.title.text.startswith("Error: ")
    return {link["href"]: link.text for link in page.html.select(".error-summary a")}


# Who may


def test_anonymous_people_are_sent_to_sign_in(web: Browser, project: Project) -> None:
    assert "/login/?next=" in web.get(path(project), status=303).location
    assert "/login/?next=" in web.submit(path(project), filled(), status=303).location


@pytest.mark.parametrize("who", ["stranger", "member", "collaborator", "other developer", "staff"])
def test_without_the_role_the_page_names_it(web: Browser, db: Session, project: Project, who: str) -> None:
    user = f.UserFactory(roles=["StaffAreaAdministrator", "TechSupport"] if who == "staff" else [])
    f.OrgMembershipFactory(org=project.org, user=user)
    if who in {"member", "collaborator"}:
        roles = ["ProjectCollaborator"] if who == "collaborator" else []
        f.ProjectMembershipFactory(project=project, user=user, roles=roles)
    if who == "other developer":
        f.ProjectMembershipFactory(user=user, roles=["ProjectDeveloper"])
    web.sign_in(user)
    for answer in (
        web.get(path(project), status=403),
        web.get(path(project, "?branches=1"), status=403),
        web.submit(path(project), filled(), status=403),
    ):
        assert "Project Developer" in answer
    assert made(db) == []


def test_a_form_without_the_token_makes_nothing(browser: Browser, db: Session, project: Project) -> None:
    browser.post(path(project), filled(), status=400)
    assert made(db) == []


def test_who_belongs_to_no_organisation_is_told_whom_to_ask(
    world: Any, browser: Browser, db: Session, project: Project
) -> None:
    someone = f.UserFactory()
    f.ProjectMembershipFactory(project=project, user=someone, roles=["ProjectDeveloper"])
    browser.sign_in(someone)
    for page in (browser.get(path(project)), browser.submit(path(project), filled(), status=200)):
        assert "You belong to no organisation yet" in page
        assert "mailto:" in page
        assert page.html.select("main form") == []
    assert made(db) == []
    assert world.requests("github") == []


@pytest.mark.parametrize("github_orgs", [[], [" "]])
def test_an_organisation_without_a_place_at_github_is_no_500(
    browser: Browser, db: Session, project: Project, github_orgs: list[str]
) -> None:
    """Pages 30.37, domain 13.56."""
    project.org.github_orgs = github_orgs
    db.commit()
    for page in (browser.get(path(project)), browser.submit(path(project), filled(), status=200)):
        assert "Your organisation has no place at GitHub yet" in page


@pytest.mark.parametrize("slug", ["..", "nowhere", "a" * 10_000, "%00", "%2e%2e"])
def test_a_project_that_is_not_there_is_a_404(browser: Browser, project: Project, slug: str) -> None:
    url = path(project).replace(project.slug, slug)
    assert browser.get(url, status="*").status_code in {400, 404}
    assert browser.submit(url, filled(), status="*").status_code in {400, 404}


# What is offered


def test_the_repositories_of_ones_organisations_are_offered(browser: Browser, project: Project) -> None:
    page = browser.get(path(project))
    assert options(page, "repo") == ["", ASTHMA]
    assert options(page, "branch") == [""]
    assert "Choose a repository first" in page


def test_all_github_organisations_of_all_organisations_count(
    browser: Browser, db: Session, project: Project, user: User
) -> None:
    """Domain 13.56: not only the first of the first."""
    other = f.OrgFactory(github_orgs=["Demo-University", "other-institute"])
    f.OrgMembershipFactory(org=other, user=user)
    page = browser.get(path(project))
    assert options(page, "repo") == ["", ASTHMA, DIABETES]
    assert [group["label"] for group in page.html.select("optgroup")] == [
        "demo-university",
        "other-institute",
    ]


def test_organisations_of_the_project_that_are_not_ones_own_do_not_count(
    browser: Browser, db: Session, project: Project
) -> None:
    f.ProjectFactory(org=f.OrgFactory(github_orgs=["other-institute"]), other_orgs=[project.org])
    assert DIABETES not in options(browser.get(path(project)), "repo")


def test_without_script_the_branches_come_by_a_button_that_sends_nothing(
    browser: Browser, db: Session, project: Project
) -> None:
    page = browser.submit(path(project), filled(name="", branch="", look="1"), status=200)
    assert page.html.select(".error-summary") == []
    assert options(page, "branch") == ["main", "sensitivity/five-controls"]
    assert chosen(page, "branch") == "main"
    assert chosen(page, "repo") == ASTHMA
    assert page.html.find("textarea", {"name": "purpose"}).text.strip() == "Inhalers"
    assert made(db) == []


def test_an_address_can_fill_the_form_in(browser: Browser, project: Project) -> None:
    page = browser.get(path(project), params={"repo": ASTHMA, "name": "Given"})
    assert chosen(page, "repo") == ASTHMA
    assert chosen(page, "branch") == "main"
    assert page.html.find("input", {"name": "name"})["value"] == "given"


def test_with_script_the_branches_are_refilled_in_place(browser: Browser, project: Project) -> None:
    select = browser.get(path(project)).html.select_one("select[name=repo]")
    assert (select["hx-get"], select["hx-target"]) == (path(project, "?branches=1"), "#branches")
    fragment = browser.get(select["hx-get"], params={"repo": ASTHMA}, headers={"HX-Request": "true"})
    assert "<html" not in fragment
    assert fragment.html.find(id="branches")
    assert options(fragment, "branch") == ["main", "sensitivity/five-controls"]
    for repo in ("", "None", "https://github.com/evil/x", "\x00"):
        fragment = browser.get(select["hx-get"], params={"repo": repo}, headers={"HX-Request": "true"})
        assert options(fragment, "branch") == [""]


def test_github_is_asked_once_for_several_looks(world: Any, browser: Browser, project: Project) -> None:
    for _ in range(3):
        browser.get(path(project))
        browser.submit(path(project), filled(look="1"), status=200)
    assert len(world.requests("github")) == 1


# Making it


def test_the_workspace_is_made_and_shown(browser: Browser, db: Session, project: Project, user: User) -> None:
    fields = filled(name="  Asthma-NEW_2 ", purpose=" Inhalers\r\nin winter ")
    answer = browser.submit(path(project), fields, status=303)
    assert answer.location.endswith(f"/{project.org.slug}/{project.slug}/asthma-new_2/")
    page = browser.get(answer.location)
    assert "Created the workspace asthma-new_2." in page
    (workspace,) = made(db)
    assert (workspace.name, workspace.branch, workspace.purpose) == (
        "asthma-new_2",
        "main",
        "Inhalers\nin winter",
    )
    assert workspace.project_id == project.id
    assert (workspace.created_by_id, workspace.updated_by_id) == (user.id, user.id)
    assert db.get_one(Repo, workspace.repo_id).url == ASTHMA
    event = db.scalars(select(AuditableEvent)).one()
    assert (event.type, event.target_id, event.created_by) == (
        AuditType.WORKSPACE_CREATED,
        str(workspace.id),
        user.username,
    )
    tasks = db.execute(text("SELECT task_name, args FROM procrastinate_jobs")).all()
    assert [tuple(task) for task in tasks] == [("check_repository", {"repo_id": workspace.repo_id})]


def test_a_repository_that_is_known_is_used(browser: Browser, db: Session, project: Project) -> None:
    known = f.RepoFactory(url=ASTHMA)
    browser.submit(path(project), filled(branch="sensitivity/five-controls"), status=303)
    (workspace,) = made(db)
    assert (workspace.repo_id, workspace.branch) == (known.id, "sensitivity/five-controls")


def test_a_form_sent_twice_makes_one_workspace(browser: Browser, db: Session, project: Project) -> None:
    answers = [browser.submit(path(project), filled(), status=303) for _ in range(2)]
    assert answers[0].location == answers[1].location
    assert len(made(db)) == 1


def test_of_two_people_at_the_same_moment_one_gets_the_name(
    browser: Browser, world_app: Any, db: Session, project: Project
) -> None:
    browsers = []
    for _ in range(4):
        user = f.UserFactory()
        f.ProjectMembershipFactory(project=project, user=user, roles=["ProjectDeveloper"])
        f.OrgMembershipFactory(org=project.org, user=user)
        each = Browser(world_app).sign_in(user)
        each.get("/404", status=404)
        browsers.append(each)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda each: each.submit(path(project), filled(), status="*"), browsers))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 303]
    assert len(made(db)) == 1


# What is refused


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "Give the workspace a name."),
        ("  ", "Give the workspace a name."),
        (None, "Give the workspace a name."),
        ("a b", "letters from A to Z, digits, - and _"),
        ("a/b", "letters from A to Z, digits, - and _"),
        ("..", "letters from A to Z, digits, - and _"),
        ("größe", "letters from A to Z, digits, - and _"),
        ("a\x00b", "letters from A to Z, digits, - and _"),
        ("<script>", "letters from A to Z, digits, - and _"),
        ("a" * 256, "needs 1 to 255 letters"),
        ("a" * 9_000, "needs 1 to 255 letters"),
        ("edit", "taken by a page of its project"),
        ("New-Workspace", "taken by a page of its project"),
        ("taken", "taken by another workspace, of the project “Diabetes <b>”"),
        ("TAKEN", "taken by another workspace"),
    ],
)
def test_a_name_that_will_not_do_is_an_error_at_the_field(
    browser: Browser, db: Session, project: Project, name: str | None, said: str
) -> None:
    f.WorkspaceFactory(name="taken", project=f.ProjectFactory(name="Diabetes <b>"))
    page = browser.submit(path(project), filled(name=name), status=200)
    assert said in errors(page)["#name"]
    assert "Diabetes <b>" not in page.text
    assert page.html.find("textarea", {"name": "purpose"}).text.strip() == "Inhalers"
    assert (chosen(page, "repo"), chosen(page, "branch")) == (ASTHMA, "main")
    assert [workspace.name for workspace in made(db)] == ["taken"]


@pytest.mark.parametrize("purpose", ["", " \r\n\t", None, "\x00", "x" * 5001])
def test_a_purpose_is_needed(browser: Browser, db: Session, project: Project, purpose: str | None) -> None:
    page = browser.submit(path(project), filled(purpose=purpose), status=200)
    assert set(errors(page)) == {"#purpose"}
    assert page.html.find("input", {"name": "name"})["value"] == "asthma-new"
    assert made(db) == []


@pytest.mark.parametrize(
    "repo",
    [
        "None",
        "https://github.com/demo-university/evil",
        "https://github.com/demo-university-evil/asthma-study",
        "https://evil.example/demo-university/asthma-study",
        "https://github.com/other-institute/diabetes-study",
        "javascript:alert(1)",
        "\x00",
        "a" * 9_000,
        "<script>alert(1)</script>",
    ],
)
def test_a_forged_repository_is_an_error_at_the_field(
    browser: Browser, db: Session, project: Project, repo: str
) -> None:
    """Pages 30.37: never a 500, whatever was sent."""
    page = browser.submit(path(project), filled(repo=repo), status=200)
    assert "Choose one of those shown" in errors(page)["#repo"]
    assert "<script>alert(1)" not in page.text
    assert made(db) == []


def test_without_a_repository_or_a_branch_the_fields_say_so(
    browser: Browser, db: Session, project: Project
) -> None:
    page = browser.submit(path(project), filled(repo=None, branch=None), status=200)
    assert set(errors(page)) == {"#repo", "#branch"}
    page = browser.submit(path(project), {}, status=200)
    assert set(errors(page)) == {"#name", "#purpose", "#repo", "#branch"}
    assert made(db) == []


@pytest.mark.parametrize("branch", ["gone", "\x00", "b" * 9_000, "<b>x</b>", "quarterly"])
def test_a_forged_branch_is_an_error_at_the_field(
    browser: Browser, db: Session, project: Project, branch: str
) -> None:
    page = browser.submit(path(project), filled(branch=branch), status=200)
    assert "asthma-study has no such branch" in errors(page)["#branch"]
    assert chosen(page, "repo") == ASTHMA
    assert "<b>x</b>" not in page.text
    assert made(db) == []


def test_a_field_that_comes_twice_is_refused(browser: Browser, db: Session, project: Project) -> None:
    browser.submit(path(project), [*filled().items(), ("repo", DIABETES)], status=400)
    assert made(db) == []


def test_uploaded_files_in_the_place_of_fields_are_no_500(browser: Browser, project: Project) -> None:
    browser.get("/404", status=404)
    token = browser.cookies["csrftoken"].strip('"')
    files = [(name, "x.txt", b"x") for name in ("name", "purpose", "repo", "branch")]
    answer = browser.post(path(project), {"csrfmiddlewaretoken": token}, upload_files=files, status=200)
    assert set(errors(answer)) == {"#name", "#purpose", "#repo", "#branch"}


# GitHub in trouble


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 401},
        {"kind": "refuse"},
        {"kind": "html"},
        {"kind": "truncated"},
        {"kind": "rate_limit"},
    ],
)
def test_while_github_does_not_answer_the_form_says_so_and_keeps_everything(
    world: Any, browser: Browser, db: Session, project: Project, fault: dict[str, Any]
) -> None:
    world.control(fault={"service": "github", **fault})
    page = browser.get(path(project))
    assert "GitHub did not list any repository" in page
    assert page.html.find("button", {"name": "look", "value": "anew"})
    page = browser.submit(path(project), filled(name="Kept", branch="sensitivity/five-controls"), status=200)
    assert page.html.find("input", {"name": "name"})["value"] == "kept"
    assert page.html.find("textarea", {"name": "purpose"}).text.strip() == "Inhalers"
    assert "GitHub did not list this repository just now" in errors(page)["#repo"]
    assert (chosen(page, "repo"), chosen(page, "branch")) == (ASTHMA, "sensitivity/five-controls")
    assert page.html.select("input[name=repo], input[name=branch]") == [], "no free text in place of a choice"
    assert made(db) == []
    # It works again: what was kept can be sent.
    world.control(reset=True)
    sent = filled(name="kept", branch="sensitivity/five-controls", look="anew")
    page = browser.submit(path(project), sent, status=200)
    assert "did not list" not in page
    assert (chosen(page, "repo"), chosen(page, "branch")) == (ASTHMA, "sensitivity/five-controls")


def test_one_organisation_that_github_does_not_list_does_not_hide_the_others(
    browser: Browser, db: Session, project: Project, user: User
) -> None:
    other: Org = f.OrgFactory(github_orgs=["no-such-place"])
    f.OrgMembershipFactory(org=other, user=user)
    page = browser.get(path(project))
    assert "GitHub did not list the repositories of no-such-place" in page
    assert "GitHub has no organisation no-such-place." in page
    assert options(page, "repo") == ["", ASTHMA]
    browser.submit(path(project), filled(), status=303)
    assert len(made(db)) == 1


def test_a_slow_github_does_not_keep_anybody_waiting_for_long(
    world: Any, browser: Browser, world_app: Any, project: Project
) -> None:
    world_app.registry["catalogue"] = Catalogue(world_app.registry["clients"].github, limit=0.3)
    world.control(fault={"service": "github", "kind": "slow", "seconds": 2, "count": 1})
    with Timed() as timed:
        page = browser.get(path(project))
    assert timed.seconds < 1.8
    assert "did not answer in time" in page


def test_no_transaction_is_open_while_github_is_asked(
    world: Any, browser: Browser, world_app: Any, db: Session, project: Project
) -> None:
    asking = Catalogue(world_app.registry["clients"].github)
    world_app.registry["catalogue"] = asking
    world.control(fault={"service": "github", "kind": "slow", "seconds": 1.5, "count": 1})
    others = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND state LIKE 'idle in transaction%' AND pid <> pg_backend_pid()"
    )
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(browser.get, path(project))
        eventually(lambda: asking._remembered._asking)
        db.rollback()
        assert db.scalar(others) == 0
        assert asking._remembered._asking, "GitHub was still being asked"
        assert answer.result().status_code == 200


def test_a_branch_pushed_a_minute_ago_can_be_sent_although_an_older_list_is_remembered(
    world: Any, browser: Browser, world_app: Any, db: Session, project: Project
) -> None:
    found = Catalogue(world_app.registry["clients"].github)
    world_app.registry["catalogue"] = found
    listed = (Listed(ASTHMA, "demo-university", "asthma-study", ("old",)),)
    found._remembered._answers.put("demo-university", Answer(time.monotonic() - 60, listed))
    assert options(browser.get(path(project, f"?repo={ASTHMA}")), "branch") == ["old"]
    browser.submit(path(project), filled(), status=303)
    assert made(db)[0].branch == "main"


def test_the_pages_take_few_statements_however_many_organisations(
    browser: Browser, user: User, project: Project, count_statements: Callable[[], Any]
) -> None:
    numbers = []
    for more in (1, 18):
        for number in range(more):
            org = f.OrgFactory(github_orgs=["demo-university", f"nobody-{more}-{number}"])
            f.OrgMembershipFactory(org=org, user=user)
        with count_statements() as sent:
            browser.get(path(project))
        numbers.append(len(sent))
    assert numbers[0] == numbers[1] <= 6
