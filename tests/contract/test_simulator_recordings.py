"""The simulated controller answers every recorded request as the running one did."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from simulator.testing import RunningSimulator, running_simulator
from tests.contract import replay
from tests.contract.replay import Answer, Exchange

ACTIONS = {
    "generate_dataset": (
        "ehrql:v1 generate-dataset analysis/dataset_definition.py --output output/dataset.csv.gz",
        None,
        "highly_sensitive: {dataset: output/dataset.csv.gz}",
    ),
    "make_table": (
        "python:v2 python analysis/make_table.py",
        "generate_dataset",
        "moderately_sensitive: {table: output/table.csv}",
    ),
    "make_chart": (
        "r:v2 analysis/make_chart.R",
        "make_table",
        "moderately_sensitive: {chart: output/chart.png}",
    ),
}
RECORDED_COMMITS = {
    "main": "fbd6e08b00ad0a2ec78e489f280a0241be870b42",
    "broken": "1f1c6e3ceb98bcea57ca9f34de470eedae1291f5",
    "noproject": "392657a1ede36d114192dc64986c3a03ad9f8600",
    "cycle": "839de19acdf270c5fbe9afd8c8c95ad01c730ef6",
    "v9": "13b518904f77b00907bd6d6b0d9ee325e7b308d3",
    "reusable": "0810900bd321dfdfdfb93f54db078cfe6eccce52",
}
METRICS = {
    "cpu_sample": 98.2,
    "cpu_cumsum": 5892.0,
    "cpu_mean": 97.1,
    "cpu_peak": 180.5,
    "mem_mb_sample": 512.0,
    "mem_mb_cumsum": 30720.0,
    "mem_mb_mean": 498.3,
    "mem_mb_peak": 611.9,
    "container_id": "c0ffee",
}


def project(version: str = "4", **changes: tuple[str, str | None, str]) -> str:
    """The recorded study's ``project.yaml``, some actions changed."""
    lines = [f"version: '{version}'", "actions:"]
    for name, (run, needs, outputs) in {**ACTIONS, **changes}.items():
        lines += [f"  {name}:", f"    run: {run}", f"    outputs: {{{outputs}}}"]
        lines += [f"    needs: [{needs}]"] if needs else []
    return "\n".join(lines) + "\n"


def recorded_world(directory: Path) -> dict[str, Any]:
    """The backends, tokens and repository that the recordings speak of."""
    table, chart, dataset = ACTIONS["make_table"], ACTIONS["make_chart"], ACTIONS["generate_dataset"]
    files = {
        "main": project(),
        "broken": project(make_table=(table[0], "no_such_action", table[2])),
        "cycle": project(generate_dataset=(dataset[0], "make_chart", dataset[2])),
        "v9": project("9"),
        "reusable": project(make_chart=("no-such-action:v1 output/table.csv", None, chart[2])),
        "noproject": None,
    }
    commits = []
    for minute, (branch, content) in enumerate(files.items()):
        (directory / branch).mkdir(parents=True)
        (directory / branch / ("README.md" if content is None else "project.yaml")).write_text(
            content or "Nothing."
        )
        commits.append(
            {
                "branch": branch,
                "from": None if branch == "main" else "main",
                "message": branch,
                "author": {"name": "A Researcher", "email": "a@example.org"},
                "at": f"2025-01-01T09:{minute:02}:00Z",
                "directory": branch,
                "remove": ["project.yaml"] if content is None else [],
            }
        )
    repository = {"name": "opensafely/demo-study", "created_at": "2025-01-01T09:00:00Z", "commits": commits}
    return {
        "directory": directory,
        "backends": [{"slug": "test", "name": "Test"}, {"slug": "tpp", "name": "TPP"}],
        "simulator": {
            "rap_tokens": {"rap_token": ["test", "tpp"], "test_only_token": ["test"]},
            "allowed_github_orgs": ["opensafely"],
            "workers": {"test": {"jobs": 2, "db_jobs": 2}},
            "repositories": [repository],
        },
    }


class Story:
    """What happened around the recorded requests: other requests, and what agents did in between."""

    def __init__(self, simulator: RunningSimulator, commits: dict[str, str]) -> None:
        self.simulator = simulator
        self.commits = commits

    def send(self, exchange: Exchange) -> Answer:
        """Sends a recorded request with the commit ids of this world."""
        return replay.send(
            self.simulator.base_url, replace(exchange, body=replay.translated(exchange.body, self.commits))
        )

    def create(self, rap_id: str, workspace: str, *actions: str) -> None:
        """A create call that is not among the recordings."""
        pattern = replay.by_name("create ok: run_all")
        body = {**pattern.body, "rap_id": rap_id, "workspace": workspace, "requested_actions": list(actions)}
        assert self.send(replace(pattern, body=body)).status == 201

    def cancel(self, rap_id: str, *actions: str) -> None:
        """A cancel call that is not among the recordings."""
        pattern = replay.by_name("cancel ok: one action")
        assert self.send(replace(pattern, body={"rap_id": rap_id, "actions": list(actions)})).status == 200

    def loop(self) -> None:
        """The controller's loop looks at the jobs of the test backend once."""
        self.simulator.control(step={"backend": "test"})

    def agent(self, rap_id: str, action: str, code: str, metrics: dict[str, Any] | None = None) -> None:
        """The agent of the backend reports."""
        self.simulator.control(
            agent={"rap_id": rap_id, "action": action, "code": code, "metrics": metrics or {}}
        )

    def finish(self, rap_id: str, *actions: str, last: str = "succeeded") -> None:
        """The jobs run and end one after the other."""
        for action in actions:
            self.loop()
            self.agent(rap_id, action, last if action == actions[-1] else "succeeded", METRICS)
        self.loop()

    def backend(self, **change: Any) -> None:
        """Somebody pauses the test backend or begins its maintenance."""
        self.simulator.control(backend={"slug": "test", **change})


def _first_job_ends(story: Story) -> None:
    story.agent("examplerap000001", "generate_dataset", "succeeded", METRICS)
    story.loop()


def _second_job_fails(story: Story) -> None:
    story.agent("examplerap000001", "make_table", "nonzero_exit")
    story.loop()


def _rest_is_cancelled(story: Story) -> None:
    story.cancel("examplerap000004", "generate_dataset", "make_table")
    story.loop()


def _newer_tables_are_cancelled(story: Story) -> None:
    story.finish("examplerap000010", "make_table")
    story.cancel("examplerap000008", "make_table")
    story.cancel("examplerap000010", "make_table")


def _agent_stumbles(story: Story) -> None:
    story.cancel("examplerap000015", "make_table", "make_chart")
    story.cancel("examplerap000016", "generate_dataset")
    story.cancel("examplerap000017", "generate_dataset", "make_table")
    story.loop()
    story.create("examplerap000011", "stumbling-workspace", "make_table")
    story.loop()
    story.agent("examplerap000011", "generate_dataset", "waiting_on_new_task")


def _outputs_are_missing(story: Story) -> None:
    story.loop()
    story.agent("examplerap000011", "generate_dataset", "unmatched_patterns")
    story.loop()


def _backend_is_paused(story: Story) -> None:
    story.backend(paused=True)
    story.create("examplerap000013", "paused-workspace", "generate_dataset")
    story.loop()


def _maintenance_begins(story: Story) -> None:
    story.backend(paused=False, db_maintenance="manual")
    story.loop()


def _running_job_is_stopped(story: Story) -> None:
    story.loop()
    story.backend(db_maintenance="manual")
    story.loop()


BEFORE: dict[str, Callable[[Story], object]] = {
    "create repeated": lambda story: story.create("examplerap000001", "demo-workspace", "make_chart"),
    "status: first job handed to the agent, others wait": Story.loop,
    "status: first job executing": lambda story: story.agent(
        "examplerap000001", "generate_dataset", "executing"
    ),
    "status: first job succeeded, second handed over": _first_job_ends,
    "cancel: job that has already ended": _second_job_fails,
    "cancel: unknown rap id": Story.loop,
    "status: cancelled jobs after the controller handled them": _rest_is_cancelled,
    "status: all succeeded": lambda story: story.finish("examplerap000005", *ACTIONS, last="excluded_files"),
    "create ok: stale codelists but no action that reads the database": lambda story: story.finish(
        "examplerap000008", "generate_dataset", "make_table"
    ),
    "cancel ok: jobs that had succeeded": _newer_tables_are_cancelled,
    "create ok: an action named twice": lambda story: story.create(
        "examplerap000016", "busy-workspace", "generate_dataset"
    ),
    "status: waiting for a free worker": Story.loop,
    "status: job sent back to pending after an error in the agent": _agent_stumbles,
    "status: outputs not found": _outputs_are_missing,
    "status: backend paused": _backend_is_paused,
    "status: database maintenance": _maintenance_begins,
    "backend status: after maintenance": lambda story: story.backend(db_maintenance="off"),
    "status: running database job stopped by maintenance": _running_job_is_stopped,
    "backend status: fault inside the controller": lambda story: story.simulator.control(
        fault={"service": "rap", "kind": "status", "status": 500}
    ),
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Answer]]:
    """Every recorded request, sent in order; what the simulator answered, with the recorded commit ids."""
    root = tmp_path_factory.mktemp("recordings")
    with running_simulator(root / "data", recorded_world(root / "studies"), speed=0) as simulator:
        listed = replay.send(
            simulator.base_url,
            Exchange(
                "", "GET", "/api/github/repos/opensafely/demo-study/branches", {}, None, Answer(0, "", "")
            ),
        ).body
        commits = {RECORDED_COMMITS[branch["name"]]: branch["commit"]["sha"] for branch in listed}
        story = Story(simulator, commits)
        received: dict[str, Answer] = {}
        for exchange in replay.recorded():
            if exchange.name in BEFORE:
                BEFORE[exchange.name](story)
            answer = story.send(exchange)
            back = {new: old for old, new in commits.items()}
            received[exchange.name] = replace(answer, body=replay.translated(answer.body, back))
        yield received


@pytest.mark.parametrize("exchange", replay.recorded(), ids=lambda exchange: exchange.name)
def test_the_recorded_answer_is_given(exchange: Exchange, answers: dict[str, Answer]) -> None:
    assert replay.differences(exchange.answer, answers[exchange.name]) == []


def test_every_event_between_the_recordings_belongs_to_one_of_them() -> None:
    assert set(BEFORE) <= {exchange.name for exchange in replay.recorded()}


def test_an_answer_with_another_text_or_a_malformed_time_is_noticed() -> None:
    exchange = replay.by_name("status: jobs just created")
    changed = replay.translated(
        exchange.answer.body, {"2026-11-23T19:31:59Z": "yesterday", "Created": "Made"}
    )
    places = replay.differences(exchange.answer, replace(exchange.answer, body=changed))
    assert any("status_message" in place for place in places)
    assert any("created_at" in place for place in places)
