"""Datasets of patient data (rule 17, spec: rap 8.2)."""

import pytest

from jobserver.pipeline import parse
from tests.unit.pipeline.files import rules_broken, rules_warned, write


def dataset(run: str, *paths: str, level: str = "highly_sensitive") -> str:
    return write(a={"run": run, "outputs": {level: {f"f{index}": path for index, path in enumerate(paths)}}})


@pytest.mark.parametrize("version", [1, 2, 4, 5])
@pytest.mark.parametrize("image", ["ehrql:v1", "databuilder:v0", "ehrql:dev"])
@pytest.mark.parametrize("verb", ["generate-dataset", "generate_dataset", "generate-dataset-old"])
def test_a_dataset_must_be_highly_sensitive(version: int, image: str, verb: str) -> None:
    def text(level: str) -> str:
        return write(
            version, a={"run": f"{image} {verb} x.py --output d.csv", "outputs": {level: {"d": "d.csv"}}}
        )

    assert rules_broken(text("highly_sensitive")) == []
    assert rules_broken(text("moderately_sensitive")) == ["17.1"]
    assert rules_broken(text("minimally_sensitive")) == ["17.1"]


@pytest.mark.parametrize(
    "run",
    [
        "ehrql:v1  generate-dataset x.py --output d.csv",
        " ehrql:v1 generate-dataset x.py --output d.csv",
        "ehrql:v1\ngenerate-dataset x.py --output d.csv",
        "'ehrql:v1' generate-dataset x.py --output d.csv",
        'ehrql:v1 "generate-dataset" x.py --output d.csv',
    ],
)
def test_other_blanks_or_quotes_do_not_escape_the_highly_sensitive_rule(run: str) -> None:
    assert rules_broken(dataset(run, "d.csv", level="moderately_sensitive")) == ["17.1"]
    assert parse(dataset(run, "d.csv")).actions["a"].reads_database


def test_one_output_of_another_level_is_enough_to_refuse() -> None:
    outputs = {"highly_sensitive": {"d": "d.csv"}, "moderately_sensitive": {"e": "e.csv"}}
    assert rules_broken(
        write(a={"run": "ehrql:v1 generate-dataset x.py --output d.csv", "outputs": outputs})
    ) == ["17.1"]


def test_other_commands_may_write_what_they_like() -> None:
    assert (
        rules_broken(dataset("ehrql:v1 generate-measures x.py", "m.csv", level="moderately_sensitive")) == []
    )
    assert rules_broken(dataset("python:v2 generate-dataset", "m.csv", level="moderately_sensitive")) == []


@pytest.mark.parametrize(
    ("options", "paths"),
    [
        ("--output d.csv", ["d.csv"]),
        ("--output=d.csv", ["d.csv"]),
        ("--output out/d.csv.gz", ["out/d.csv.gz", "out/other.csv"]),
        ("--output out:csv", ["out/a.csv", "out/b.csv"]),
        ("--output out/:csv", ["out/a.csv"]),
        ("--output=out/sub:arrow", ["out/sub/a.arrow"]),
        ("--output out:csv", ["out/deeper/a.csv"]),
        ("--output out:csv", ["out/*.csv"]),
        ("--output old.csv --output d.csv", ["d.csv"]),
    ],
)
def test_outputs_that_match_the_option_are_accepted(options: str, paths: list[str]) -> None:
    assert rules_broken(dataset(f"ehrql:v1 generate-dataset x.py {options}", *paths)) == []


@pytest.mark.parametrize("options", ["", "--output", "--output=", "--outputs d.csv", "'--output d.csv'"])
def test_a_dataset_needs_the_output_option(options: str) -> None:
    assert rules_broken(dataset(f"ehrql:v1 generate-dataset x.py {options}", "d.csv")) == ["17.2"]


@pytest.mark.parametrize(
    ("target", "paths"),
    [
        ("d.csv", ["e.csv"]),
        ("out/d.csv", ["d.csv"]),
        ("out:csv", ["out/a.csv", "b.csv"]),
        ("out:csv", ["out/a.arrow"]),
        ("out:csv", ["output/a.csv"]),
        ("out/:csv", ["out.csv"]),
    ],
)
def test_outputs_that_do_not_match_the_option_are_refused(target: str, paths: list[str]) -> None:
    assert rules_broken(dataset(f"ehrql:v1 generate-dataset x.py --output {target}", *paths)) == ["17.3"]


@pytest.mark.parametrize(("options", "rule"), [("", "17.2"), ("--output e.csv", "17.3")])
def test_what_the_controller_overlooks_because_of_blanks_is_only_warned_about(
    options: str, rule: str
) -> None:
    assert rules_warned(dataset(f"ehrql:v1  generate-dataset x.py {options}", "d.csv")) == [rule]
