"""The simulated controller decides which jobs to make, runs them by the clock and remembers them."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from simulator.testing import ControlRefused, RunningSimulator, running_simulator
from tests.contract import replay
from tests.contract.replay import Answer, Exchange

NOTHING = Answer(0, "", "")
STUDY = "demo-university/asthma-study"
_rap_ids = (f"rap{number:013}" for number in count(1))
_workspaces = (f"workspace-{number}" for number in count(1))


@dataclass
class Caller:
    """Talks to the controller as Job Server does, for one workspace."""

    simulator: RunningSimulator
    workspace: str
    commit: str
    study: str = STUDY

    def post(self, path: str, body: Any, token: str | None = None) -> Answer:
        headers = {"Authorization": token or self.simulator.rap_token}
        exchange = Exchange("", "POST", f"/controller/v1/{path}", headers, body, NOTHING)
        return replay.send(self.simulator.base_url, exchange)

    def create(self, *actions: str, **changes: Any) -> Answer:
        body = {
            "rap_id": next(_rap_ids),
            "backend": "tpp",
            "workspace": self.workspace,
            "repo_url": f"https://github.com/{self.study}",
            "branch": "main",
            "commit": self.commit,
            "database_name": "default",
            "requested_actions": list(actions),
            "codelists_ok": True,
            "force_run_dependencies": False,
            "created_by": "researcher",
            "project": "asthma-in-adults",
            "orgs": ["demo-university"],
        }
        return self.post("rap/create/", {**body, **changes})

    def made(self, *actions: str, **changes: Any) -> str:
        """The id of a job request that jobs were made for."""
        answer = self.create(*actions, **changes)
        assert answer.status == 201, answer.body
        return str(answer.body["rap_id"])

    def jobs(self, *rap_ids: str) -> dict[str, dict[str, Any]]:
        answer = self.post("rap/status/", {"rap_ids": list(rap_ids)})
        return {job["action"]: job for job in answer.body["jobs"]}

    def end(self, rap_id: str, code: str, *actions: str) -> None:
        for action in actions:
            self.simulator.control(agent={"rap_id": rap_id, "action": action, "code": code})
        self.simulator.control(step={})


def head(simulator: RunningSimulator, study: str = STUDY, branch: str = "main") -> str:
    """The newest commit of a branch."""
    headers = {"Authorization": f"Bearer {simulator.github_token}"}
    path = f"/api/github/repos/{study}/branches/{branch}"
    return str(
        replay.send(simulator.base_url, Exchange("", "GET", path, headers, None, NOTHING)).body["commit"][
            "sha"
        ]
    )


def config(directory: Path, **settings: Any) -> dict[str, Any]:
    """The demonstration's world with other settings."""
    demo = json.loads((Path(__file__).parents[2] / "simulator" / "demo.json").read_text())
    return {**demo, "directory": directory, "simulator": {**demo["simulator"], **settings}}


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSimulator]:
    with running_simulator(tmp_path_factory.mktemp("simulator"), speed=0) as running:
        yield running


@pytest.fixture
def caller(simulator: RunningSimulator) -> Caller:
    simulator.control(reset=True, clear=["jobs"])
    return Caller(simulator, next(_workspaces), head(simulator))


def test_what_a_requested_action_needs_is_run_as_well(caller: Caller) -> None:
    rap_id = caller.made("table_one")
    expected = {"generate_dataset", "generate_dataset_controls", "match_controls", "table_one"}
    assert set(caller.jobs(rap_id)) == expected


def test_run_all_makes_a_job_for_every_action(caller: Caller) -> None:
    assert caller.create("run_all").body["count"] == 12


def test_a_job_that_is_pending_already_is_waited_for_rather_than_repeated(caller: Caller) -> None:
    first = caller.made("generate_dataset")
    second = caller.made("describe_population")
    assert set(caller.jobs(second)) == {"describe_population"}
    caller.simulator.control(step={})
    assert caller.jobs(second)["describe_population"]["status_code"] == "waiting_on_dependencies"
    caller.end(first, "succeeded", "generate_dataset")
    assert caller.jobs(second)["describe_population"]["status_code"] == "initiated"


def test_a_dependency_that_succeeded_is_not_run_again_unless_forced(caller: Caller) -> None:
    caller.end(caller.made("generate_dataset"), "succeeded", "generate_dataset")
    assert caller.create("describe_population").body["count"] == 1
    forced = caller.create("inhaler_switching", force_run_dependencies=True)
    assert forced.body["count"] == 2


def test_a_requested_action_that_succeeded_is_run_again(caller: Caller) -> None:
    caller.end(caller.made("generate_dataset"), "succeeded", "generate_dataset")
    assert caller.create("generate_dataset").body["count"] == 1


def test_a_dependency_that_failed_is_run_again(caller: Caller) -> None:
    caller.end(caller.made("generate_dataset"), "nonzero_exit", "generate_dataset")
    assert caller.create("describe_population").body["count"] == 2


def test_run_all_repeats_only_what_failed(caller: Caller) -> None:
    study = "other-institute/diabetes-study"
    other = Caller(caller.simulator, caller.workspace, head(caller.simulator, study), study)
    first = other.made("run_all")
    other.end(first, "succeeded", "generate_dataset", "glucose_control")
    other.end(first, "unmatched_patterns", "complications")
    second = other.made("run_all")
    assert set(other.jobs(second)) == {"complications"}


def test_actions_named_beside_run_all_count_as_requested(caller: Caller) -> None:
    study = "other-institute/diabetes-study"
    other = Caller(caller.simulator, caller.workspace, head(caller.simulator, study), study)
    other.end(other.made("run_all"), "succeeded", "generate_dataset", "glucose_control", "complications")
    again = other.made("run_all", "glucose_control")
    assert set(other.jobs(again)) == {"glucose_control"}


def test_other_workspaces_and_backends_do_not_share_jobs(caller: Caller) -> None:
    caller.made("generate_dataset")
    assert caller.create("generate_dataset", backend="emis").body["count"] == 1
    assert caller.create("generate_dataset", workspace=f"{caller.workspace}-b").body["count"] == 1


def test_the_same_job_request_and_action_always_give_the_same_identifier(
    caller: Caller, tmp_path: Path
) -> None:
    rap_id = caller.made("generate_dataset")
    identifier = caller.jobs(rap_id)["generate_dataset"]["identifier"]
    with running_simulator(tmp_path, speed=0) as elsewhere:
        other = Caller(elsewhere, "anything", head(elsewhere))
        other.made("generate_dataset", rap_id=rap_id)
        assert other.jobs(rap_id)["generate_dataset"]["identifier"] == identifier


def test_a_repository_outside_the_allowed_organisations_is_refused(caller: Caller) -> None:
    answer = caller.create("run_all", repo_url="https://github.com/somebody/study")
    assert (answer.status, answer.body["error"]) == (400, "Error creating jobs")
    assert "https://github.com/somebody/study" in answer.body["details"]


def test_one_trailing_slash_of_the_repository_address_is_tolerated(caller: Caller) -> None:
    assert caller.create("generate_dataset", repo_url=f"https://github.com/{STUDY}/").status == 201


def test_a_commit_of_another_branch_is_refused(caller: Caller) -> None:
    other = head(caller.simulator, branch="sensitivity/five-controls")
    assert other in caller.create("run_all", commit=other).body["details"]
    assert caller.create("generate_dataset", commit=other, branch="sensitivity/five-controls").status == 201


@pytest.mark.parametrize(
    ("changes", "details"),
    [
        (
            {"analysis_scope": None},
            "Invalid request body received at $.analysis_scope: None is not of type 'object'",
        ),
        ({"orgs": ["a", 2]}, "Invalid request body received at $.orgs[1]: 2 is not of type 'string'"),
        (
            {"rap_id": None, "backend": 1},
            "Invalid request body received at $.backend: 1 is not of type 'string'",
        ),
        (
            {"force_run_dependencies": 0},
            "Invalid request body received at $.force_run_dependencies: 0 is not of type 'boolean'",
        ),
    ],
)
def test_only_the_first_fault_of_a_body_is_named(
    caller: Caller, changes: dict[str, Any], details: str
) -> None:
    answer = caller.create("generate_dataset", **changes)
    assert answer.body == {"error": "Validation error", "details": details}


def test_properties_that_nobody_asked_for_are_ignored(caller: Caller) -> None:
    assert caller.create("generate_dataset", colour="blue").status == 201


def test_the_token_is_checked_before_the_body_and_the_method_before_the_token(caller: Caller) -> None:
    assert caller.post("rap/create/", "{", token="nonsense").status == 401
    exchange = Exchange("", "GET", "/controller/v1/rap/create/", {}, None, NOTHING)
    answer = replay.send(caller.simulator.base_url, exchange)
    assert (answer.status, answer.body, answer.allow) == (405, "", "POST")


def test_a_body_over_the_limit_is_refused_with_a_page(caller: Caller) -> None:
    answer = caller.post("rap/status/", {"rap_ids": ["a" * 16] * 300_000})
    assert (answer.status, answer.content_type) == (400, "text/html; charset=utf-8")


def test_forty_thousand_ids_are_answered(caller: Caller) -> None:
    asked = [f"{number:016}" for number in range(40_000)]
    answer = caller.post("rap/status/", {"rap_ids": asked})
    assert sorted(answer.body["unrecognised_rap_ids"]) == asked


def test_cancelling_an_unknown_action_cancels_nothing(caller: Caller) -> None:
    rap_id = caller.made("generate_dataset")
    answer = caller.post("rap/cancel/", {"rap_id": rap_id, "actions": ["zebra", "generate_dataset", "ant"]})
    assert answer.status == 404
    assert answer.body["not_found"] == ["ant", "zebra"]
    assert caller.jobs(rap_id)["generate_dataset"]["completed_at"] is None


def test_a_running_job_that_is_cancelled_keeps_running_until_the_loop_comes_by(caller: Caller) -> None:
    rap_id = caller.made("generate_dataset")
    caller.simulator.control(step={})
    caller.post("rap/cancel/", {"rap_id": rap_id, "actions": ["generate_dataset"]})
    job = caller.jobs(rap_id)["generate_dataset"]
    assert (job["status"], job["completed_at"] is None) == ("running", False)
    caller.simulator.control(step={"seconds": 1000})
    ended = caller.jobs(rap_id)["generate_dataset"]
    assert (ended["status_code"], ended["completed_at"]) == ("cancelled_by_user", job["completed_at"])


def test_maintenance_leaves_other_jobs_alone(caller: Caller) -> None:
    caller.end(caller.made("generate_dataset"), "succeeded", "generate_dataset")
    rap_id = caller.made("describe_population", "generate_measures")
    caller.simulator.control(step={})
    caller.simulator.control(backend={"slug": "tpp", "db_maintenance": "scheduled"}, step={})
    jobs = caller.jobs(rap_id)
    assert jobs["describe_population"]["status"] == "running"
    assert (jobs["generate_measures"]["status_code"], jobs["generate_measures"]["started_at"]) == (
        "waiting_db_maintenance",
        None,
    )


def test_a_running_job_goes_on_while_its_backend_is_paused(caller: Caller) -> None:
    rap_id = caller.made("generate_dataset")
    caller.simulator.control(step={})
    caller.simulator.control(backend={"slug": "tpp", "paused": True}, step={"seconds": 4})
    assert caller.jobs(rap_id)["generate_dataset"]["status_code"] == "executing"


def test_a_backend_runs_only_so_many_jobs_of_a_kind_at_once(caller: Caller) -> None:
    rap_ids = [
        caller.made("generate_dataset", backend="emis", workspace=f"{caller.workspace}-{n}") for n in range(2)
    ]
    caller.simulator.control(step={})
    codes = [caller.jobs(rap_id)["generate_dataset"]["status_code"] for rap_id in rap_ids]
    assert codes == ["initiated", "waiting_on_db_workers"]


def test_no_work_is_begun_while_the_agent_is_away(caller: Caller) -> None:
    caller.simulator.control(backend={"slug": "emis", "agent": False})
    rap_id = caller.made("generate_measures", backend="emis")
    seen = _last_seen(caller, "emis")
    caller.simulator.control(step={"seconds": 100})
    assert caller.jobs(rap_id)["generate_measures"]["status"] == "pending"
    assert _last_seen(caller, "emis") == seen


def _last_seen(caller: Caller, slug: str) -> str | None:
    headers = {"Authorization": caller.simulator.rap_token}
    exchange = Exchange("", "GET", "/controller/v1/backend/status/", headers, None, NOTHING)
    backends = replay.send(caller.simulator.base_url, exchange).body["backends"]
    seen: str | None = next(backend["last_seen"] for backend in backends if backend["slug"] == slug)
    return seen


def test_an_agent_cannot_report_about_a_job_that_does_not_exist(caller: Caller) -> None:
    with pytest.raises(ControlRefused, match="no active job"):
        caller.simulator.control(agent={"rap_id": "nothing", "action": "nothing", "code": "executing"})


def test_a_reusable_action_runs_the_command_that_its_repository_names(tmp_path: Path) -> None:
    action = tmp_path / "action"
    action.mkdir()
    (action / "action.yaml").write_text("run: python:v2 python action/main.py\n")
    study = tmp_path / "study"
    study.mkdir()
    names = {"plot": "plotter:v1", "late": "plotter:v2", "loose": "plotter:draft"}
    lines = ["version: '4'", "actions:"]
    for name, image in names.items():
        lines += [
            f"  {name}:",
            f"    run: {image} --colour 'dark blue'",
            f"    outputs: {{moderately_sensitive: {{x: {name}.csv}}}}",
        ]
    (study / "project.yaml").write_text("\n".join(lines).replace(":draft", ":v3"))
    made = {"author": {"name": "A", "email": "a@example.org"}, "at": "2025-01-01T09:00:00Z", "message": "All"}
    repositories = [
        {
            "name": "opensafely-actions/plotter",
            "created_at": "2025-01-01T09:00:00Z",
            "commits": [
                {**made, "directory": "action"},
                {**made, "directory": "study", "branch": "draft", "from": "main"},
            ],
            "tags": {"v1": "main", "v3": "draft"},
        },
        {
            "name": "demo-university/drawing",
            "created_at": "2025-01-01T09:00:00Z",
            "commits": [{**made, "directory": "study"}],
        },
    ]
    with running_simulator(
        tmp_path / "data", config(tmp_path, repositories=repositories), speed=0
    ) as simulator:
        study_name = "demo-university/drawing"
        caller = Caller(simulator, "drawing", head(simulator, study_name), study_name)
        rap_id = caller.made("plot")
        assert (
            caller.jobs(rap_id)["plot"]["run_command"]
            == "python:v2 python action/main.py --colour 'dark blue'"
        )
        assert "'v2' is not a tag" in caller.create("late").body["details"]
        assert "has not been approved" in caller.create("loose").body["details"]


def test_the_demonstration_runs_through_by_itself(tmp_path: Path) -> None:
    with running_simulator(tmp_path, speed=100) as simulator:
        caller = Caller(simulator, "asthma-main", head(simulator))
        rap_id = caller.made("run_all")
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            jobs = caller.jobs(rap_id)
            if all(job["status"] in {"succeeded", "failed"} for job in jobs.values()):
                break
            time.sleep(0.05)
        codes = {action: job["status_code"] for action, job in jobs.items()}
        assert (codes.pop("survival_model"), codes.pop("survival_plot")) == (
            "nonzero_exit",
            "dependency_failed",
        )
        assert set(codes.values()) == {"succeeded"}
        assert jobs["generate_dataset"]["metrics"]["mem_mb_peak"] > 0
        assert _last_seen(caller, "emis") is not None


def test_jobs_and_their_progress_survive_a_restart(tmp_path: Path) -> None:
    with running_simulator(tmp_path, speed=0) as simulator:
        commit = head(simulator)
        caller = Caller(simulator, "asthma-main", commit)
        rap_id = caller.made("describe_population")
        simulator.control(step={})
        simulator.control(
            step={"seconds": 5}, backend={"slug": "tpp", "db_maintenance": "off", "paused": True}
        )
        before = caller.jobs(rap_id)
    with running_simulator(tmp_path, speed=0) as simulator:
        caller = Caller(simulator, "asthma-main", head(simulator))
        assert caller.commit == commit
        assert caller.jobs(rap_id) == before
        simulator.control(step={"seconds": 4})
        after = caller.jobs(rap_id)
        assert after["generate_dataset"]["status"] == "succeeded"
        assert after["describe_population"]["status_code"] == "paused"
