"""What the controller makes of a request (spec: rap 1.3 step 5)."""

import pytest

from jobserver.pipeline import Asked, Pipeline, parse
from tests.unit.pipeline.files import write

STATES = ("pending", "running", "succeeded", "failed", None)


def pair() -> Pipeline:
    """b needs a."""
    b = {"run": "r:v2 b", "outputs": {"highly_sensitive": {"b": "b.csv"}}, "needs": ["a"]}
    return parse(write(a="r:v2 a", b=b))


def fate(pipeline: Pipeline, name: str, requested: list[str], state: str | None, force: bool) -> str:
    plan = pipeline.plan(requested, {name: state}, force)
    return next(word for word in ("run", "wait", "reuse") if name in getattr(plan, word))


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("pending", "wait"),
        ("running", "wait"),
        ("succeeded", "run"),
        ("failed", "run"),
        (None, "run"),
        ("odd", "run"),
    ],
)
def test_an_action_asked_for_by_name(state: str | None, expected: str, force: bool) -> None:
    assert fate(pair(), "a", ["a"], state, force) == expected


@pytest.mark.parametrize("requested", [["b"], ["run_all"]])
@pytest.mark.parametrize(
    ("state", "expected", "forced"),
    [
        ("pending", "wait", "wait"),
        ("running", "wait", "wait"),
        ("succeeded", "reuse", "run"),
        ("failed", "run", "run"),
        (None, "run", "run"),
    ],
)
def test_an_action_that_is_only_needed(
    requested: list[str], state: str | None, expected: str, forced: str
) -> None:
    assert fate(pair(), "a", requested, state, force=False) == expected
    assert fate(pair(), "a", requested, state, force=True) == forced


def test_an_action_named_beside_run_all_counts_as_named() -> None:
    plan = pair().plan(["run_all", "b"], {"a": "succeeded", "b": "succeeded"})
    assert (plan.run, plan.reuse) == (("b",), ("a",))


def test_run_all_has_nothing_to_do_when_all_succeeded_or_are_under_way() -> None:
    plan = pair().plan(["run_all"], {"a": "succeeded", "b": "pending"})
    assert (plan.run, plan.wait, plan.reuse) == ((), ("b",), ("a",))


def test_what_an_action_that_does_not_run_needs_is_left_alone(study: Pipeline) -> None:
    plan = study.plan(["model"], {"clean": "succeeded", "dataset": "failed", "measures": "running"})
    assert plan.run == ("model",)
    assert plan.wait == ("measures",)
    assert plan.reuse == ("clean",)


def test_the_plan_is_in_file_order_and_tells_what_reads_the_database(study: Pipeline) -> None:
    plan = study.plan(["model", "clean"], {"measures": "succeeded"})
    assert plan.run == ("dataset", "clean", "model")
    assert plan.reads_database == ("dataset",)
    assert study.plan(["model"], {}).reads_database == ("dataset", "measures")


def test_force_reaches_everything_that_is_needed(study: Pipeline) -> None:
    states = dict.fromkeys(study.actions, "succeeded")
    assert study.plan(["model"], states, force=True).run == ("dataset", "measures", "clean", "model")


def test_run_all_leaves_out_an_action_of_that_name() -> None:
    pipeline = parse(write(4, run_all="r:v2 all", a="r:v2 a"))
    assert pipeline.plan(["run_all"], {}).run == ("a",)


def test_requests_whose_jobs_are_not_known_yet_count_with_what_they_will_run() -> None:
    asked = [Asked(1, ["b"]), Asked(2, ["run_all"])]
    assert pair().under_way(asked, {}) == {"a": 1, "b": 1}
    assert pair().under_way(asked, {"a": "succeeded"}) == {"b": 1}
    assert pair().under_way(asked, {"a": "running", "b": "succeeded"}) == {"b": 1}


def test_a_request_before_another_leaves_it_only_the_rest() -> None:
    asked = [Asked(1, ["a"]), Asked(2, ["b"], force=True), Asked(3, ["a"])]
    assert pair().under_way(asked, {}) == {"a": 1, "b": 2}


def test_a_request_that_forces_what_it_needs_will_run_that_again() -> None:
    assert pair().under_way([Asked(1, ["b"], force=True)], {"a": "succeeded"}) == {"a": 1, "b": 1}


def test_names_that_the_file_does_not_have_count_for_nothing() -> None:
    assert pair().under_way([Asked(1, ["gone", "a"]), Asked(2, ["gone"])], {}) == {"a": 1}


def test_dependents_are_found_however_indirect_among_those_that_matter(study: Pipeline) -> None:
    everything = set(study.actions)
    assert study.dependents_of(["dataset"], everything) == ["clean", "model"]
    assert study.dependents_of(["dataset"], {"dataset", "model"}) == ["model"]
    assert study.dependents_of(["model"], everything) == []
    assert study.dependents_of(["gone"], everything) == []
    assert study.dependents_of([], everything) == []
