"""Output paths (rule 13, spec: rap 8.1) and overlapping patterns."""

import pytest

from jobserver.pipeline import PipelineInvalid, parse
from jobserver.pipeline.outputs import overlap
from tests.unit.pipeline.files import rules_broken, rules_warned, with_path, write


@pytest.mark.parametrize(
    "path",
    ["x.csv", "dir/x.csv", "dir/*.csv", "*/x.csv", "x.c*v", "x.csv.gz", "a b/ä.csv", "metadata.csv", "a/metadata/x.csv", "..x.csv", "x..csv"],
)  # fmt: skip
def test_a_highly_sensitive_path_is_accepted(path: str) -> None:
    assert rules_broken(with_path(path)) == []


@pytest.mark.parametrize(
    ("path", "rules"),
    [
        (r"dir\x.csv", ["13a"]),
        ("**/x.csv", ["13b"]),
        ("x?.csv", ["13b"]),
        ("x[1].csv", ["13b"]),
        ("x", ["13c"]),
        ("dir/*", ["13c"]),
        ("x.*", ["13c"]),
        ("x.c*", ["13c"]),
        (".csv", ["13c"]),
        ("dir/.csv", ["13c"]),
        ("x.", ["13c"]),
        ("dir.d/x", ["13c"]),
        ("./x.csv", ["13e"]),
        ("a//x.csv", ["13e"]),
        ("a/./x.csv", ["13e"]),
        ("a/../x.csv", ["13e"]),
        ("../x.csv", ["13e"]),
        ("../../x.csv", ["13e"]),
        ("a/..", ["13c", "13e"]),
        ("x.csv/", ["13c", "13e"]),
        ("", ["13c", "13e"]),
        ("metadata/x.csv", ["13f"]),
        ("metadata", ["13c", "13f"]),
        ("/x.csv", ["13g"]),
        ("//host/x.csv", ["13g"]),
        ("c:/x.csv", ["13g"]),
        (r"c:\x", ["13a", "13c", "13g"]),
    ],
)
def test_a_path_that_breaks_a_rule_is_refused(path: str, rules: list[str]) -> None:
    assert rules_broken(with_path(path)) == rules


@pytest.mark.parametrize(
    "suffix", ["csv", "jpg", "jpeg", "png", "svg", "svgz", "html", "txt", "log", "json", "md"]
)
def test_a_releasable_file_type_is_accepted_as_moderately_sensitive(suffix: str) -> None:
    assert rules_broken(with_path(f"x.{suffix}", "moderately_sensitive")) == []


@pytest.mark.parametrize("path", ["x.CSV", "x.csv.gz", "x.rds", "x.feather", "x.c*v"])
def test_another_file_type_is_refused_as_moderately_sensitive_only(path: str) -> None:
    assert rules_broken(with_path(path, "moderately_sensitive")) == ["13d"]
    assert rules_broken(with_path(path, "highly_sensitive")) == []
    assert rules_broken(with_path(path, "minimally_sensitive")) == []


def test_the_message_names_path_action_reason_and_line() -> None:
    with pytest.raises(PipelineInvalid) as caught:
        parse(
            "version: 5\nactions:\n  a:\n    run: r:v2\n    outputs:\n      highly_sensitive:\n        x: metadata/x.csv\n"
        )
    assert str(caught.value) == "Line 7: Output path `metadata/x.csv` of action `a`: `metadata/` is reserved."


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("a.csv", "a.csv", True),
        ("*.csv", "a.csv", True),
        ("a.csv", "*.csv", True),
        ("*.csv", "a.txt", False),
        ("*.csv", "dir/a.csv", False),
        ("dir/*.csv", "dir/a.csv", True),
        ("*/a.csv", "dir/*.csv", True),
        ("a*.csv", "*b.csv", True),
        ("a*.csv", "b*.csv", False),
        ("a*x.csv", "ab*.txt", False),
        ("ab*.csv", "a*c.csv", True),
        ("a*b*c.csv", "axxbyc.csv", True),
        ("a*b*c.csv", "axxc.csv", False),
        ("aa*aa.csv", "aaa.csv", False),
    ],
)
def test_overlap_of_two_patterns(one: str, other: str, expected: bool) -> None:
    assert overlap(one, other) is expected
    assert overlap(other, one) is expected


def test_overlaps_are_not_looked_for_among_very_many_patterns() -> None:
    text = write(
        a={"run": "r:v2 a", "outputs": {"highly_sensitive": {f"{n}": f"{n}*.csv" for n in range(400)}}}
    )
    assert rules_warned(text) == []


def test_overlapping_patterns_of_a_file_are_warned_about() -> None:
    text = write(
        a={"run": "r:v2 a", "outputs": {"highly_sensitive": {"x": "out/*.csv"}}},
        b={"run": "r:v2 b", "outputs": {"moderately_sensitive": {"x": "out/b.csv"}}},
        c={"run": "r:v2 c", "outputs": {"moderately_sensitive": {"x": "other/b.csv"}}},
    )
    assert rules_warned(text) == ["overlap"]
    [warning] = parse(text).warnings
    assert warning.action == "b"
    assert "`out/*.csv`" in warning.message
    assert "`out/b.csv`" in warning.message
