"""What somebody may see in Level 4, and asking for it (spec: airlock 3.3, 3.4, 12.40, 12.41)."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from jobserver.models import ProjectStatus, User, Workspace, utcnow
from tests import factories as f
from tests.web.api.level4 import Airlock

KEYS = ["username", "fullname", "workspaces", "copiloted_workspaces", "output_checker", "readonly_access"]


def workspaces(airlock: Airlock, user: User, number: int) -> None:
    """Give somebody so many workspaces to see, in two projects of three organisations each."""
    start = airlock.db.query(Workspace).count()
    repo, maker = f.RepoFactory(), f.UserFactory()
    projects = [
        f.ProjectFactory(other_orgs=[f.OrgFactory(), f.OrgFactory()], created_by=maker, copilot=copilot)
        for copilot in (None, user)
    ]
    for each in projects:
        f.ProjectMembershipFactory(project=each, user=user, roles=["ProjectDeveloper"])
    who = {"created_by_id": maker.id, "updated_by_id": maker.id, "branch": "main", "repo_id": repo.id}
    for each in range(start, start + number):
        airlock.db.add(Workspace(name=f"ws-{each:03}", project_id=projects[each % 2].id, **who))
    airlock.db.commit()


def names(answer: Any) -> tuple[list[str], list[str]]:
    return list(answer.json["workspaces"]), list(answer.json["copiloted_workspaces"])


def test_the_answer_has_all_keys_in_order_and_the_workspaces_of_ones_projects(airlock: Airlock) -> None:
    user = airlock.user(username="ada", fullname="Ada Lovelace")
    lead = f.OrgFactory(name="Zoo")
    project = f.ProjectFactory(
        name="Study", number="7", org=lead, other_orgs=[f.OrgFactory(name="beta"), f.OrgFactory(name="Alpha")]
    )
    f.ProjectMembershipFactory(project=project, user=user, roles=["ProjectDeveloper"])
    f.WorkspaceFactory(name="study-b", project=project, is_archived=True)
    f.WorkspaceFactory(name="Study-a", project=project)
    f.WorkspaceFactory(name="another")
    for answer in (airlock.sign_in("ada"), airlock.ask("ada")):
        assert answer.headers["Content-Type"] == "application/json"
        details = {"name": "Study", "ongoing": True, "orgs": ["Zoo", "Alpha", "beta"]}
        assert answer.json == {
            "username": "ada",
            "fullname": "Ada Lovelace",
            "workspaces": {
                "Study-a": {"project_details": details, "archived": False},
                "study-b": {"project_details": details, "archived": True},
            },
            "copiloted_workspaces": {},
            "output_checker": False,
            "readonly_access": False,
        }
        assert list(answer.json) == KEYS
        assert names(answer)[0] == ["Study-a", "study-b"]
        described = answer.json["workspaces"]["study-b"]
        assert list(described) == ["project_details", "archived"]
        assert list(described["project_details"]) == ["name", "ongoing", "orgs"]


@pytest.mark.parametrize(
    ("held", "there", "seen"),
    [
        ([], ["ProjectDeveloper"], True),
        ([], ["ProjectCollaborator"], False),
        ([], [], False),
        ([], ["ProjectCollaborator", "ProjectDeveloper"], True),
        (["OutputChecker"], [], True),
        (["OutputChecker"], ["ProjectCollaborator"], True),
        (["TechSupport", "StaffAreaAdministrator", "DeploymentAdministrator"], [], False),
    ],
)
def test_a_member_sees_a_project_by_a_role_there_or_everywhere(
    airlock: Airlock, held: list[str], there: list[str], seen: bool
) -> None:
    user = airlock.user(username="ada", roles=held)
    workspace = f.WorkspaceFactory(name="mine")
    f.ProjectMembershipFactory(project=workspace.project, user=user, roles=there)
    f.WorkspaceFactory(name="of-others")
    assert names(airlock.ask("ada")) == (["mine"] if seen else [], [])


def test_a_copilot_sees_workspaces_apart_without_being_a_member(airlock: Airlock) -> None:
    user = airlock.user(username="ada")
    flown = f.WorkspaceFactory(name="flown", project=f.ProjectFactory(copilot=user))
    both = f.WorkspaceFactory(name="both", project=f.ProjectFactory(copilot=user))
    f.ProjectMembershipFactory(project=both.project, user=user, roles=["ProjectDeveloper"])
    f.ProjectMembershipFactory(project=flown.project, user=user, roles=[])
    answer = airlock.ask("ada")
    assert names(answer) == (["both"], ["both", "flown"])
    assert answer.json["copiloted_workspaces"]["both"] == answer.json["workspaces"]["both"]


def test_roles_are_told_by_role_and_by_permission(airlock: Airlock) -> None:
    airlock.user(username="checker", roles=["OutputChecker"])
    airlock.user(username="deployer", roles=["DeploymentAdministrator"])
    seen = {name: airlock.ask(name).json for name in ("checker", "deployer")}
    assert [(each["output_checker"], each["readonly_access"]) for each in seen.values()] == [
        (True, False),
        (False, True),
    ]


def test_a_project_is_ongoing_in_two_states(airlock: Airlock) -> None:
    user = airlock.user(username="ada")
    for status in ProjectStatus:
        workspace = f.WorkspaceFactory(name=status.value, project=f.ProjectFactory(status=status))
        f.ProjectMembershipFactory(project=workspace.project, user=user, roles=["ProjectDeveloper"])
    seen = airlock.ask("ada").json["workspaces"]
    assert {name for name, each in seen.items() if each["project_details"]["ongoing"]} == {
        "ongoing",
        "ongoing-and-linked",
    }
    assert len(seen) == len(ProjectStatus)


def test_words_of_any_alphabet_come_as_they_are(airlock: Airlock) -> None:
    airlock.user(username="zoe", fullname='Zoë "O’Hara" <b>')
    assert 'Zoë \\"O’Hara\\" <b>'.encode() in airlock.ask("zoe").body


def test_an_unknown_user_is_404(airlock: Airlock) -> None:
    airlock.user(username="ada", email="ada@example.org")
    for name in ("nobody", "ada@example.org", "Ada"):
        assert airlock.ask(name, 404).json == {"detail": "No User matches the given query."}


def test_somebody_who_cannot_use_level_4_of_the_backend_is_403(airlock: Airlock) -> None:
    f.BackendMembershipFactory(backend=airlock.backend, user=f.UserFactory(username="plain"))
    f.GithubIdentityFactory(user=f.UserFactory(username="nowhere"))
    elsewhere = f.UserFactory(username="elsewhere")
    f.GithubIdentityFactory(user=elsewhere)
    f.BackendMembershipFactory(user=elsewhere)
    airlock.user(username="gone", disabled_at=utcnow(), disabled_by_id=elsewhere.id)
    for name, why in {
        "plain": "no linked GitHub account",
        "nowhere": "no access to this backend",
        "elsewhere": "no access to this backend",
        "gone": "disabled user",
    }.items():
        assert airlock.ask(name, 403).json == {"detail": f"The user {name} cannot use Level 4: {why}."}


def test_asking_writes_nothing_and_needs_no_token_of_the_user(
    airlock: Airlock, count_statements: Callable[[], Any]
) -> None:
    user = airlock.user(username="ada", token=None)
    workspaces(airlock, user, 2)
    with count_statements() as few:
        airlock.ask("ada")
    workspaces(airlock, user, 198)
    with count_statements() as many:
        assert len(airlock.ask("ada").json["workspaces"]) == 200
    assert list(few) == list(many)
    assert len(many) == 3
    assert many.writes == []
    assert airlock.events() == []
    assert airlock.tasks() == []


def test_organisations_are_gathered_once_for_each_project(airlock: Airlock) -> None:
    """Not once for each workspace: twice the workspaces must not be twice the work."""
    from jobserver.queries.level4 import _WORKSPACES

    user = airlock.user(username="ada")
    workspaces(airlock, user, 200)
    airlock.db.execute(text("ANALYZE"))
    query = _WORKSPACES.params(person=user.id, sees_all=False).compile(
        airlock.db.get_bind(),
        compile_kwargs={"literal_binds": True},  # type: ignore[call-overload]
    )
    plan = airlock.db.scalars(
        text(f"EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF) {query}".replace(":", "\\:"))
    ).all()
    gathering = [line for line in plan if "Aggregate" in line]
    assert gathering
    assert all("loops=2" in line or "loops=1" in line for line in gathering), "\n".join(plan)
