"""Each numbered rule of `project.yaml`: what is accepted, what is refused, and in which versions."""

import pytest

from jobserver.pipeline import PipelineInvalid, parse
from tests.unit.pipeline.files import rules_broken, rules_warned, with_path, write

RUN = "python:v2 a.py"
OUTPUTS = {"moderately_sensitive": {"table": "a.csv"}}
OK = {"run": RUN, "outputs": OUTPUTS}
SIZE = {"population_size": 1000}

ACCEPTED = {
    "1 no entries but the known ones": write(3, expectations=SIZE),
    "2 version given": write(5),
    "3 version as text": write("4"),
    "3 version with decimals": "version: 4.0\nactions: {}",
    "4 newest version": write(5),
    "5 no actions at all": write(5),
    "7 run and outputs": write(a=OK),
    "8 every known entry": write(a=OK | {"needs": [], "config": {}, "dummy_data_file": "x.csv"}),
    "9 nulls where allowed": write(a=OK | {"needs": None, "config": None, "dummy_data_file": None}),
    "10 one level, another null": write(
        a={"run": RUN, "outputs": OUTPUTS | {"highly_sensitive": None}},
    ),
    "11 all three levels": write(
        a={
            "run": RUN,
            "outputs": {
                "highly_sensitive": {"a": "a.csv"},
                "moderately_sensitive": {"a": "b.csv"},
                "minimally_sensitive": {"a": "c.csv"},
            },
        }
    ),
    "12 several names": write(a={"run": RUN, "outputs": {"highly_sensitive": {"a": "a.csv", "b": "b.csv"}}}),
    "14 version with dots": write(a="python:v2.1.3 a.py"),
    "14 version with -pre": write(a="python:v2-pre a.py"),
    "14 dev": write(a="python:dev a.py"),
    "14 image alone": write(a="python:v2"),
    "14 unknown image": write(a="some-reusable-action:v1.0"),
    "14 newline after image": write(a="python:v2\n a.py"),
    "15 several needs": write(a=OK, b="r:v2 b.R", c={**OK, "run": "r:v2 c", "outputs": {"highly_sensitive": {"a": "c.csv"}}, "needs": ["a", "b"]}),
    "16 one directory": write(3, expectations=SIZE, a={"run": "cohortextractor:v1 generate_cohort", "outputs": {"highly_sensitive": {"a": "o/a.csv", "b": "o/b.csv"}}}),
    "16 two directories with --output-dir": write(3, expectations=SIZE, a={"run": "cohortextractor:v1 generate_cohort --output-dir=o", "outputs": {"highly_sensitive": {"a": "o/a.csv", "b": "p/b.csv"}}}),
    "16 other cohortextractor command": write(1, a={"run": "cohortextractor:v1 measures", "outputs": {"highly_sensitive": {"a": "o/a.csv", "b": "p/b.csv"}}}),
    "18 version 3": write(3, expectations=SIZE, a="cohortextractor:v1 measures"),
    "19 latest in version 4": write(4, a="r:latest x"),
    "20 different commands": write(a="r:v2 a", b="r:v2 b"),
    "21 same path in version 1": write(1, a=OK, b=OK | {"run": "r:v2 b"}),
    "22 needs an action": write(a="r:v2 a", b={"run": "r:v2 b", "outputs": OUTPUTS | {"moderately_sensitive": {"t": "b.csv"}}, "needs": ["a"]}),
    "23 version 1 without": write(1),
    "23 version 2 ignores it": write(2, expectations="nonsense"),
    "23 version 3": write(3, expectations=SIZE),
    "23 version 3, size as text": write(3, expectations={"population_size": "1000"}),
    "23 between 3 and 4 ignores it": write(3.5, expectations="nonsense"),
    "23 null in version 4": "version: 4\nexpectations:\nactions: {}",
    "23 null in version 5": "version: 5\nexpectations: ~\nactions: {}",
}  # fmt: skip

REFUSED = {
    "1 unknown top-level entry": (write(5) + "foo: 1\n", "1"),
    "1 key that is not text": (write(5) + "7: 1\n", "1"),
    "2 no version": ("actions: {}", "2"),
    "2 null version": ("version:\nactions: {}", "2"),
    "3 word": (write("abc"), "3"),
    "3 empty text": (write(""), "3"),
    "3 list": (write([4]), "3"),
    "3 mapping": (write({"a": 1}), "3"),
    "3 date": ("version: 2024-01-01\nactions: {}", "3"),
    "4 version 6": (write(6), "4"),
    "4 version 5.1": (write(5.1), "4"),
    "4 version 6 as text": (write("6"), "4"),
    "4 infinity": ("version: .inf\nactions: {}", "4"),
    "4 huge": (f"version: {'9' * 200}\nactions: {{}}", "4"),
    "5 no actions entry": ("version: 5", "5"),
    "5 null": ("version: 5\nactions:", "5"),
    "5 list": ("version: 5\nactions: [a]", "5"),
    "6 run_all in version 5": (write(5, run_all=RUN), "6"),
    "7 action is null": ("version: 5\nactions:\n  a:\n", "7"),
    "7 action is text": ("version: 5\nactions:\n  a: python:v2\n", "7"),
    "7 no run": (write(a={"outputs": OUTPUTS}), "7"),
    "7 no outputs": (write(a={"run": RUN}), "7"),
    "8 unknown entry": (write(a=OK | {"foo": 1}), "8"),
    "8 key that is not text": ("version: 5\nactions:\n  a: {run: r:v1, outputs: {highly_sensitive: {a: a.csv}}, 7: 1}", "8"),
    "9 outputs list": (write(a={"run": RUN, "outputs": ["a.csv"]}), "9"),
    "9 outputs null": (write(a={"run": RUN, "outputs": None}), "9"),
    "9 run number": (write(a=OK | {"run": 5}), "9"),
    "9 run null": (write(a=OK | {"run": None}), "9"),
    "9 run list": (write(a=OK | {"run": ["python:v2"]}), "9"),
    "9 needs text": (write(a=OK | {"needs": "b"}), "9"),
    "9 needs mapping": (write(a=OK | {"needs": {"b": 1}}), "9"),
    "9 config list": (write(a=OK | {"config": [1]}), "9"),
    "9 config text": (write(a=OK | {"config": "x"}), "9"),
    "9 dummy_data_file number": (write(a=OK | {"dummy_data_file": 5}), "9"),
    "9 dummy_data_file list": (write(a=OK | {"dummy_data_file": ["x.csv"]}), "9"),
    "10 empty outputs": (write(a={"run": RUN, "outputs": {}}), "10"),
    "10 only null": (write(a={"run": RUN, "outputs": {"highly_sensitive": None}}), "10"),
    "11 unknown level": (write(a={"run": RUN, "outputs": OUTPUTS | {"public": {"a": "x.csv"}}}), "11"),
    "11 unknown level, null": (write(a={"run": RUN, "outputs": OUTPUTS | {"public": None}}), "11"),
    "12 level is text": (write(a={"run": RUN, "outputs": {"highly_sensitive": "x.csv"}}), "12"),
    "12 level is a list": (write(a={"run": RUN, "outputs": {"highly_sensitive": ["x.csv"]}}), "12"),
    "12 path is a number": (write(a={"run": RUN, "outputs": {"highly_sensitive": {"x": 1}}}), "12"),
    "12 path is null": (write(a={"run": RUN, "outputs": {"highly_sensitive": {"x": None}}}), "12"),
    "12 path is a list": (write(a={"run": RUN, "outputs": {"highly_sensitive": {"x": ["a.csv"]}}}), "12"),
    "14 empty": (write(a=""), "14"),
    "14 blank": (write(a="  \n "), "14"),
    "14 quoted nothing": (write(a='""'), "14"),
    "14 no version": (write(a="python a.py"), "14"),
    "14 empty version": (write(a="python: a.py"), "14"),
    "14 no image name": (write(a=":v2 a.py"), "14"),
    "14 version without v": (write(a="python:2 a.py"), "14"),
    "14 v alone": (write(a="python:v a.py"), "14"),
    "14 other suffix": (write(a="python:v2-beta a.py"), "14"),
    "14 other word": (write(a="python:main a.py"), "14"),
    "14 unclosed quote": (write(a="python:v2 'a.py"), "14"),
    "14 final backslash": (write(a="python:v2 a.py \\"), "14"),
    "14 too long": (write(a="python:v2 " + "a" * 100_000), "14"),
    "15 blank in needs": (write(a=OK | {"needs": ["x y"]}), "15"),
    "15 number in needs": (write(a=OK | {"needs": [1]}), "15"),
    "15 null in needs": (write(a=OK | {"needs": [None]}), "15"),
    "15 list in needs": (write(a=OK | {"needs": [["x"]]}), "15"),
    "16 two levels": (write(3, expectations=SIZE, a={"run": "cohortextractor:v1 generate_cohort", "outputs": {"highly_sensitive": {"a": "o/a.csv"}, "moderately_sensitive": {"b": "o/b.csv"}}}), "16"),
    "16 two directories": (write(1, a={"run": "cohortextractor:v1 generate_cohort", "outputs": {"highly_sensitive": {"a": "o/a.csv", "b": "p/b.csv"}}}), "16"),
    "18 version 4": (write(4, a="cohortextractor:v1 generate_cohort"), "18"),
    "18 version 5": (write(5, a="cohortextractor:v1 measures"), "18"),
    "18 name that starts so": (write(4, a="cohortextractor-v2:v1 x"), "18"),
    "19 latest in version 5": (write(5, a="r:latest x"), "19"),
    "20 same command": (write(a=RUN, b=RUN), "20"),
    "20 same command in version 1": (write(1, a=RUN, b=RUN), "20"),
    "21 same path in version 2": (write(2, a=OK, b=OK | {"run": "r:v2 b"}), "21"),
    "21 same path in one action": (write(a={"run": RUN, "outputs": {"highly_sensitive": {"x": "a.csv", "y": "a.csv"}}}), "21"),
    "22 unknown need": (write(a=OK | {"needs": ["c"]}), "22"),
    "23 version 3 without": (write(3), "23"),
    "23 version 3 null": ("version: 3\nexpectations:\nactions: {}", "23"),
    "23 version 3 text": (write(3, expectations="x"), "23"),
    "23 version 3 no size": (write(3, expectations={}), "23"),
    "23 version 3 size is a word": (write(3, expectations={"population_size": "many"}), "23"),
    "23 version 3 size is null": (write(3, expectations={"population_size": None}), "23"),
    "23 version 3 size is infinite": ("version: 3\nexpectations: {population_size: .inf}\nactions: {}", "23"),
    "23 version 3 another entry": (write(3, expectations=SIZE | {"foo": 1}), "23"),
    "23 version 4": (write(4, expectations=SIZE), "23"),
    "23 version 5": (write(5, expectations=SIZE), "23"),
    "cycle of two": (write(a=OK | {"needs": ["b"]}, b={"run": "r:v2 b", "outputs": {"highly_sensitive": {"b": "b.csv"}}, "needs": ["a"]}), "cycle"),
    "cycle of one": (write(a=OK | {"needs": ["a"]}), "cycle"),
}  # fmt: skip


@pytest.mark.parametrize("text", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_a_file_that_keeps_the_rule_is_accepted(text: str) -> None:
    assert rules_broken(text) == []


@pytest.mark.parametrize(("text", "rule"), REFUSED.values(), ids=REFUSED.keys())
def test_a_file_that_breaks_the_rule_is_refused_for_that_alone(text: str, rule: str) -> None:
    assert rules_broken(text) == [rule]


def test_every_numbered_rule_has_a_refused_case() -> None:
    elsewhere = {"13", "17"}  # test_outputs and test_datasets
    assert {rule for _, rule in REFUSED.values()} | elsewhere >= {str(number) for number in range(1, 24)}


WARNED = {
    "3 half a version": (write(3.5), "3"),
    "3 zero": (write(0), "3"),
    "3 below zero": (write(-1), "3"),
    "3 true": (write(True), "3"),
    "3 not a number": ("version: nan\nactions: {}", "3"),
    "6 run_all before version 5": (write(4, run_all=RUN), "6"),
    "9 date in config": ("version: 5\nactions:\n  a: {run: r:v1, outputs: {highly_sensitive: {a: a.csv}}, config: {from: 2024-01-01}}", "9"),
    "10 empty level": (write(a={"run": RUN, "outputs": {"highly_sensitive": {}}}), "10"),
    "20 other blanks": (write(a="r:v2 x  y", b="r:v2 x y"), "20"),
    "20 other quotes": (write(a="r:v2 'x'", b="r:v2 x"), "20"),
    "21 same path in version 1": (write(1, a=OK, b=OK | {"run": "r:v2 b"}), "21"),
    "repeated needs": (write(a="r:v2 a", b={"run": "r:v2 b", "outputs": {"highly_sensitive": {"b": "b.csv"}}, "needs": ["a", "a"]}), "needs-repeated"),
    "name with a slash": (write(**{"a/b": {"run": RUN, "outputs": OUTPUTS}}), "name"),
    "name with a blank": (write(**{"a b": {"run": RUN, "outputs": OUTPUTS}}), "name"),
    "name of dots": (write(**{"..": {"run": RUN, "outputs": OUTPUTS}}), "name"),
    "empty name": (write(**{'""': {"run": RUN, "outputs": OUTPUTS}}), "name"),
    "number as name": (write(**{"7": {"run": RUN, "outputs": OUTPUTS}}), "name"),
    "null as name": (write(**{"~": {"run": RUN, "outputs": OUTPUTS}}), "name"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "rule"), WARNED.values(), ids=WARNED.keys())
def test_what_the_controller_runs_though_doubtful_is_only_warned_about(text: str, rule: str) -> None:
    assert rules_warned(text) == [rule]


@pytest.mark.parametrize(("version", "warned"), [(1, True), (2, True), (4, True), (5, False)])
def test_an_old_version_is_warned_about(version: int, warned: bool) -> None:
    assert [warning.rule for warning in parse(write(version)).warnings] == ["old-version"] * warned


@pytest.mark.parametrize("version", [3.5, 0, True])
def test_a_version_between_the_known_ones_is_compared_as_the_controller_does(version: float) -> None:
    assert rules_broken(write(version, a="cohortextractor:latest measures", run_all=RUN)) == []


def test_rules_that_depend_on_the_version_are_left_out_when_it_is_unknown() -> None:
    text = write("abc", expectations=SIZE, a="cohortextractor:latest measures", run_all=RUN)
    assert rules_broken(text) == ["3"]


def test_a_flag_or_a_fraction_will_do_as_population_size_as_in_the_controller() -> None:
    for size in (True, 10.5):
        assert rules_broken(write(3, expectations={"population_size": size})) == []


def test_all_faults_are_reported_with_line_and_action() -> None:
    text = """\
version: 5
extra: 1
actions:
  a:
    run: r:latest x.R
    outputs:
      moderately_sensitive:
        one: ../x.csv
        two: x.rds
  b:
    needs: [c]
    run: "'"
    outputs: {}
"""
    with pytest.raises(PipelineInvalid) as caught:
        parse(text)
    assert [(fault.line, fault.rule, fault.action) for fault in caught.value.faults] == [
        (2, "1", None),
        (5, "19", "a"),
        (8, "13e", "a"),
        (9, "13d", "a"),
        (11, "22", "b"),
        (12, "14", "b"),
        (13, "10", "b"),
    ]
    assert "Line 11: Action `b` needs `c`, which does not exist." in str(caught.value)


def test_a_cycle_is_named_from_its_first_action_in_the_file() -> None:
    text = write(
        first="r:v2 1",
        b={"run": "r:v2 b", "outputs": {"highly_sensitive": {"b": "b.csv"}}, "needs": ["first", "d"]},
        c={"run": "r:v2 c", "outputs": {"highly_sensitive": {"c": "c.csv"}}, "needs": ["b"]},
        d={"run": "r:v2 d", "outputs": {"highly_sensitive": {"d": "d.csv"}}, "needs": ["c"]},
    )
    with pytest.raises(PipelineInvalid) as caught:
        parse(text)
    [fault] = caught.value.faults
    assert fault.message == "Actions need each other in a circle: `b` needs `d` needs `c` needs `b`."
    assert text.splitlines()[(fault.line or 0) - 1].strip() == 'needs: ["first", "d"]'


def needing(name: str, *needs: str) -> dict[str, object]:
    return {"run": f"r:v2 {name}", "outputs": {"highly_sensitive": {"x": f"{name}.csv"}}, "needs": [*needs]}


def test_a_long_cycle_is_shortened_in_the_message() -> None:
    text = write(**{f"a{number}": needing(f"a{number}", f"a{(number + 1) % 50}") for number in range(50)})
    with pytest.raises(PipelineInvalid) as caught:
        parse(text)
    [fault] = caught.value.faults
    assert fault.message.endswith("needs `a7` needs … needs `a0`.")


def test_very_many_cycles_are_not_all_named() -> None:
    names = [f"a{number}" for number in range(30)]
    assert rules_broken(write(**{name: needing(name, *names) for name in names})) == ["cycle"] * 20


def test_two_separate_cycles_are_both_named() -> None:
    text = write(a=needing("a", "b"), b=needing("b", "a"), c=needing("c", "c"))
    assert rules_broken(text) == ["cycle", "cycle"]


def test_messages_quote_long_and_odd_text_briefly_on_one_line() -> None:
    with pytest.raises(PipelineInvalid) as caught:
        parse(write(5) + '? "' + "x\\n" * 500 + '"\n: 1\n')
    [fault] = caught.value.faults
    assert "\n" not in fault.message
    assert len(fault.message) < 200


def test_a_flood_of_faults_is_cut_and_counted() -> None:
    text = write(5) + "".join(f"x{number}: 1\n" for number in range(250))
    with pytest.raises(PipelineInvalid) as caught:
        parse(text)
    assert len(caught.value.faults) == 201
    assert caught.value.faults[-1].message == "50 more like these are not shown."


def test_two_actions_whose_names_read_the_same_keep_the_first() -> None:
    text = write(**{"7": "r:v2 a", '"7"': {"run": "r:v2 b", "outputs": {"highly_sensitive": {"b": "b.csv"}}}})
    assert parse(text).actions["7"].run == "r:v2 a"


def test_the_checks_of_8_1_apply_to_every_version() -> None:
    for version in (1, 2, 4, 5):
        assert rules_broken(with_path("../x.csv", version=version)) == ["13e"]
