"""How the YAML itself is read."""

import time
import warnings

import pytest

from jobserver.pipeline import Fault, PipelineInvalid, parse
from tests.unit.pipeline.files import STUDY, rules_broken, write


def fault_of(text: str) -> Fault:
    with pytest.raises(PipelineInvalid) as caught:
        parse(text)
    [fault] = [fault for fault in caught.value.faults if fault.rule == "yaml"]
    return fault


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", None, "is empty"),
        ("# nothing\n", None, "is empty"),
        ("--- ~\n", 1, "must be a mapping"),
        ("just text", 1, "must be a mapping"),
        ("- a\n- b", 1, "must be a mapping"),
        ("version: 5\nactions:\n\ta: 1\n", 3, "tab"),
        ("version: 5\nactions: [\n", 2, "not valid YAML, column"),
        ("version: 5\nactions: '\n\nend\n", 4, "in what begins on line 2"),
        ("version: 5\nactions: {}\n---\nversion: 4\n", 3, "more than one YAML document"),
        ("version: 5\nversion: 4\nactions: {}\n", 2, "`version` is given twice (first on line 1)"),
        ("version: 5\nactions:\n  a: 1\n  b: 1\n  a: 2\n", 5, "`a` is given twice (first on line 3)"),
        ("version: 5\nactions: *nothing\n", 2, "undefined alias"),
        ("version: 5\nactions: {}\n? [a]\n: 1\n", 3, "A key must be a single word or text"),
        ("version: 5\nactions: {}\nx: !own y\n", 3, "cannot be read as a value"),
        ("version: 5\nactions: {}\nx: !own {y: 1}\n", 3, "is not supported"),
        ("version: 5\nactions: {}\nx: 2024-13-01\n", 3, "cannot be read as a value"),
        ("version: 5\nactions: {}\nx: " + "9" * 5000, 3, "cannot be read as a value"),
        ("version: 5\nactions: {}\nx: !!map y\n", 3, "cannot be read as a value"),
        ("version: 5\nactions: {}\n<<: x\n", 3, "`<<` must name a mapping"),
        ("version: 5\nactions: {}\n<<: {}\n<<: {}\n", 4, "`<<` is given twice"),
        ('version: 5\nactions: {}\nx: "a\\0b"\n', 3, "cannot be stored"),
        ('version: 5\nactions: {}\nx: "\\ud800"\n', 3, "cannot be stored"),
        ('version: 5\nactions: {}\nx: "\\U00110000"\n', None, "cannot be read as YAML"),
        ("version: 5\nactions: {}\nx: \x00\n", 3, "does not allow"),
        ("version: 5\nactions: \ud800\n", 2, "does not allow"),
    ],
)
def test_what_cannot_be_read_is_a_fault_with_its_line(text: str, line: int | None, words: str) -> None:
    fault = fault_of(text)
    assert fault.line == line
    assert words in fault.message


def test_words_of_old_yaml_are_text() -> None:
    pipeline = parse(
        "version: 5\nactions:\n  yes: {run: 'r:v2 on', outputs: {highly_sensitive: {on: on.csv}}, config: {a: off}}"
    )
    assert pipeline.warnings == ()
    assert pipeline.actions["yes"].outputs == {"highly_sensitive": {"on": "on.csv"}}
    assert pipeline.actions["yes"].config == {"a": "off"}


def test_anchors_aliases_and_merge_keys_work() -> None:
    text = """\
version: 5
actions:
  a: &first
    run: r:v2 a.R
    outputs: &outputs
      highly_sensitive: {x: a.csv}
    config: &config {n: 1}
  b:
    <<: *first
    run: r:v2 b.R
    outputs:
      highly_sensitive: {x: b.csv}
  c:
    <<: [{run: r:v2 c.R}, *first]
    outputs:
      highly_sensitive: {x: c.csv}
    config: *config
"""
    pipeline = parse(text)
    assert [action.run for action in pipeline.actions.values()] == ["r:v2 a.R", "r:v2 b.R", "r:v2 c.R"]
    assert [action.config for action in pipeline.actions.values()] == [{"n": 1}] * 3


def test_an_anchor_may_be_used_again_without_a_python_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert parse("version: &a 5\nactions: &a {}").version == 5


def test_windows_line_ends_and_a_byte_order_mark_are_read() -> None:
    assert list(parse("\ufeff" + STUDY.replace("\n", "\r\n")).actions) == [
        "dataset",
        "measures",
        "clean",
        "model",
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("#" * 1_000_001, "larger than 1,000,000 characters"),
        ("a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 10)}]\n" for i in range(9)), "more than 100,000 values"),
        ("[" + "a," * 200_000 + "]", "more than 100,000 values"),
        ("a: &a [*a]", "nested more than 50 deep, or an alias refers to itself"),
        ("a: &a {<<: *a}", "nested more than 50 deep, or an alias refers to itself"),
        ("a: " + "[" * 500_000, "nested more than 50 deep"),
        ("- " * 500_000, "nested more than 50 deep"),
    ],
    ids=["size", "aliases", "values", "self", "self merge", "brackets", "dashes"],
)  # fmt: skip
def test_a_file_made_to_exhaust_the_server_is_refused_soon(text: str, words: str) -> None:
    started = time.process_time()
    assert words in fault_of(text).message
    assert time.process_time() - started < 20


def test_a_long_chain_of_needs_is_no_trouble() -> None:
    def link(number: int) -> dict[str, object]:
        needs = [f"a{number + 1}"] if number < 2999 else []
        return {
            "run": f"r:v2 {number}",
            "outputs": {"highly_sensitive": {"x": f"{number}.csv"}},
            "needs": needs,
        }

    pipeline = parse(write(**{f"a{number}": link(number) for number in range(3000)}))
    assert len(pipeline.plan(["a0"], {}).run) == 3000


def test_a_duplicate_key_does_not_hide_other_faults() -> None:
    assert rules_broken("version: 9\nversion: 5\nactions: []\n") == ["4", "yaml", "5"]
