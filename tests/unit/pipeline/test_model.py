"""What a valid file says."""

import pytest

from jobserver.pipeline import Pipeline, UnknownAction, parse
from tests.unit.pipeline.files import write


def test_an_action_keeps_what_the_file_says(study: Pipeline) -> None:
    model = study.actions["model"]
    assert study.version == 4
    assert model.line == 19
    assert model.run == 'stata-mp:v16 analysis/model.do "two words"\n'
    assert model.command.words == ("stata-mp:v16", "analysis/model.do", "two words")
    assert (model.image, model.version) == ("stata-mp", "v16")
    assert model.needs_as_written == ("measures", "clean")
    assert model.needs == ("clean", "measures")
    assert model.config == {"threshold": 5, "labels": ["a", "b"]}
    assert model.dummy_data_file == "dummy/model.csv"
    assert model.outputs == {"moderately_sensitive": {"log": "logs/model.log", "plots": "output/plots/*.png"}}
    assert study.actions["dataset"].config is None
    assert study.actions["dataset"].dummy_data_file is None


def test_the_actions_may_be_asked_for_in_file_order_then_run_all(study: Pipeline) -> None:
    assert study.requestable() == ["dataset", "measures", "clean", "model", "run_all"]


def test_run_all_of_the_file_takes_the_place_of_the_made_one() -> None:
    pipeline = parse(write(4, run_all="r:v2 all", a="r:v2 a"))
    assert pipeline.requestable() == ["run_all", "a"]
    assert list(pipeline.plan(["run_all"], {}).run) == ["a"]


def test_a_file_without_actions_offers_only_run_all() -> None:
    pipeline = parse(write(5))
    assert pipeline.requestable() == ["run_all"]
    assert list(pipeline.plan(["run_all"], {}).run) == []


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], []),
        (["measures"], ["measures"]),
        (["clean"], ["dataset", "clean"]),
        (["model"], ["dataset", "measures", "clean", "model"]),
        (["clean", "clean", "measures"], ["dataset", "measures", "clean"]),
        (["run_all"], ["dataset", "measures", "clean", "model"]),
    ],
)
def test_dependencies_are_followed_to_the_end(study: Pipeline, names: list[str], expected: list[str]) -> None:
    assert list(study.plan(names, {}).run) == expected


def test_an_unknown_name_is_an_error_that_names_it(study: Pipeline) -> None:
    with pytest.raises(UnknownAction, match="`nothing` is not an action") as caught:
        study.plan(["model", "nothing"], {})
    assert caught.value.name == "nothing"


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        ("ehrql:v1 generate-dataset x.py --output a.csv", True),
        ("ehrql:v1 generate-measures x.py", True),
        ("ehrql:v1 generate_dataset x.py --output a.csv", False),
        ("ehrql:v1 dump-example-data", False),
        ("ehrql:v1", False),
        ("sqlrunner:v1 query.sql", True),
        ("sqlrunner:v1", True),
        ("cohortextractor:v1 generate_cohort", True),
        ("cohortextractor:v1 generate_codelist_report", True),
        ("cohortextractor:v1 generate_measures", False),
        ("databuilder:v0 generate-dataset x.py --output a.csv", True),
        ("databuilder:v0 generate-measures x.py", False),
        ("python:v2 generate-dataset", False),
        ("my-ehrql:v1 generate-dataset", False),
    ],
)
def test_reading_the_database_is_told_by_the_first_two_words(run: str, expected: bool) -> None:
    text = write(2, a={"run": run, "outputs": {"highly_sensitive": {"a": "a.csv"}}})
    assert parse(text).actions["a"].reads_database is expected


@pytest.mark.parametrize(
    ("run", "cohortextractor", "sqlrunner"),
    [
        ("cohortextractor:v1 measures", True, False),
        ("old-CohortExtractor-tool:v1", True, False),
        ("sqlrunner:v1 q.sql", False, True),
        ("my-sqlrunner:v1 q.sql", False, True),
        ("SQLRunner:v1 q.sql", False, True),
        ("python:v2 sqlrunner.py cohortextractor", False, False),
    ],
)
def test_refused_images_are_told_by_name_not_by_arguments(
    run: str, cohortextractor: bool, sqlrunner: bool
) -> None:
    pipeline = parse(write(2, a=run))
    action = pipeline.actions["a"]
    assert (action.uses_cohortextractor, action.uses_sqlrunner) == (cohortextractor, sqlrunner)
    assert bool(pipeline.refused_images(sqlrunner_permitted=False)) is (cohortextractor or sqlrunner)
    assert bool(pipeline.refused_images(sqlrunner_permitted=True)) is cohortextractor


def test_a_refused_image_is_a_fault_with_line_and_action() -> None:
    [fault] = parse(write(5, a="r:v2 a", b="sqlrunner:v1 q.sql")).refused_images(sqlrunner_permitted=False)
    assert (fault.rule, fault.action, fault.line) == ("image", "b", 6)
    assert fault.message == "This project may not use sqlrunner (action `b`)."
